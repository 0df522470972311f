import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { registerDraining } from './draining.hook';
import { Readiness } from './readiness';
import { shutDown } from './shutdown';

/** A handler that answers when the test says so. */
class Gate {
  entered = Promise.withResolvers<void>();
  leave = Promise.withResolvers<void>();
}

let gate: Gate;

@Controller()
class SlowController {
  @Get('slow')
  async slow(): Promise<string> {
    gate.entered.resolve();
    await gate.leave.promise;
    return 'finished';
  }
}

@Module({ controllers: [SlowController], providers: [Readiness] })
class SlowModule {}

async function start(): Promise<{ app: NestFastifyApplication; port: number }> {
  gate = new Gate();
  const app = await NestFactory.create<NestFastifyApplication>(SlowModule, new FastifyAdapter(), { logger: false });
  registerDraining(app.getHttpAdapter().getInstance(), app.get(Readiness));
  await app.listen(0, '127.0.0.1');
  return { app, port: (app.getHttpServer() as { address(): AddressInfo }).address().port };
}

function ask(port: number, agent: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => get({ port, path: '/slow', agent }, resolve).on('error', reject));
}

describe('shutDown', () => {
  const agent = new Agent({ keepAlive: true });

  afterAll(() => agent.destroy());

  it('fails readiness first, takes nobody new, and finishes what is in flight', async () => {
    const { app, port } = await start();
    app.get(Readiness).ready();
    const answer = ask(port, agent);
    await gate.entered.promise;
    const over = shutDown(app, 10_000);
    expect(app.get(Readiness).isReady).toBe(false);
    await expect(ask(port, new Agent())).rejects.toThrow('ECONNREFUSED');
    gate.leave.resolve();
    const response = await answer;
    expect(response.headers.connection).toBe('close');
    response.resume();
    await once(response, 'end');
    await expect(over).resolves.toBe(true);
  });

  it('does not wait longer than it may', async () => {
    const { app, port } = await start();
    const answer = ask(port, agent).catch(() => undefined);
    await gate.entered.promise;
    await expect(shutDown(app, 50)).resolves.toBe(false);
    gate.leave.resolve();
    await answer;
  });
});
