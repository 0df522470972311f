import 'reflect-metadata';
import { PLATFORM_TENANT_ID } from '../src/common/actor';
import { loadConfig, readEnvironment } from '../src/config/load-config';
import { StartError, tellFailure } from '../src/config/start.error';
import { ChainKeys } from '../src/modules/audit/chain';
import { ChainsRepository } from '../src/modules/audit/chains.repository';
import { ChainVerifier, type Verdict } from '../src/modules/audit/verifier.service';
import { DatabaseConnections } from '../src/platform/database/database-connections';
import { roleAccessOf } from '../src/platform/database/role-access';
import { SystemDatabase } from '../src/platform/database/system-database';

const PLATFORM = 'platform';

/**
 * `npm run audit:verify [-- --tenant <id or slug>]`: checks the chain of every tenant and of the platform, a line each.
 * Exits with 1 when one of them is broken.
 */
async function main(args: string[]): Promise<void> {
  const config = loadConfig(readEnvironment());
  const access = roleAccessOf(config);
  const connections = new DatabaseConnections(access, config, []);
  try {
    const system = new SystemDatabase(connections);
    const keys = new ChainKeys(Buffer.from(config.DATA_ENCRYPTION_KEY ?? '', 'base64'));
    const chains = wanted(await new ChainsRepository(system).names(), args);
    const verifier = new ChainVerifier(system, keys);
    for (const { tenant_id: id, slug } of chains) {
      const verdict = await verifier.verify(id);
      if (!verdict.ok) process.exitCode = 1;
      console.log(`${nameOf(id, slug)}: ${lineOf(verdict)}`);
    }
  } finally {
    await connections.onApplicationShutdown();
  }
}

type Chain = Awaited<ReturnType<ChainsRepository['names']>>[number];

function wanted(chains: Chain[], args: string[]): Chain[] {
  if (args.length === 0) return chains;
  const [option, name] = args;
  if (option !== '--tenant' || name === undefined || args.length > 2)
    throw new StartError('Use: npm run audit:verify [-- --tenant <id or slug>]');
  const found = chains.filter(({ tenant_id: id, slug }) => [id, slug, nameOf(id, slug)].includes(name));
  if (found.length === 0) throw new StartError(`There is no tenant ${name}`);
  return found;
}

const nameOf = (id: string, slug: string | null): string => (id === PLATFORM_TENANT_ID ? PLATFORM : (slug ?? id));

function lineOf({ ok, checked, sealed, pending, erased, head, firstBroken }: Verdict): string {
  const figures = `${checked} checked, ${sealed} sealed, ${pending} pending, ${erased} erased`;
  const end = `head ${head.seq}:${head.digest}`;
  if (ok) return `ok, ${figures}, ${end}`;
  const { kind = '', note = '', id, seq } = firstBroken ?? {};
  const where = [id === undefined ? '' : ` record ${id}`, seq === undefined ? '' : ` seal ${seq}`].join('');
  return `BROKEN (${kind}${where}: ${note}), ${figures}, ${end}`;
}

main(process.argv.slice(2)).catch((error: unknown) => process.exit(tellFailure(error)));
