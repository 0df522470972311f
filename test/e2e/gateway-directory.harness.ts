import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { RouteTable } from '../../src/modules/gateway/proxy/parts';
import { GatewayRoutesRepository } from '../../src/modules/gateway/routes/gateway-routes.repository';
import type { RouteDirectory } from '../../src/modules/gateway/routes/route-directory.service';

/** Where the table sends a request for `/shop/x`; null: nowhere. */
export const targetIn = async (table: RouteTable) => (await table.match('GET', 'h', '/shop/x'))?.path ?? null;
export const ask = async (directory: RouteDirectory, tenantId: string) => targetIn(await directory.of(tenantId));

/** What of the directory's questions reached the database, while the work is done. */
export async function questions<T>(process: NestFastifyApplication, work: () => Promise<T>): Promise<[T, string[]]> {
  const repository = process.get(GatewayRoutesRepository);
  const asked: string[] = [];
  const spies = (['load', 'version'] as const).map((name) => {
    const original = repository[name].bind(repository) as (tenantId: string) => Promise<never>;
    return jest.spyOn(repository, name).mockImplementation((tenantId) => {
      asked.push(name);
      return original(tenantId);
    });
  });
  try {
    return [await work(), asked];
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Lets the process believe that so much time has gone by since it asked. */
function afterMs(ms: number): () => void {
  const clock = performance.now.bind(performance);
  const spy = jest.spyOn(performance, 'now').mockImplementation(() => clock() + ms);
  return () => spy.mockRestore();
}

/** Does the work as if it were so much later. */
export async function inTime<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const restore = afterMs(ms);
  try {
    return await work();
  } finally {
    restore();
  }
}
