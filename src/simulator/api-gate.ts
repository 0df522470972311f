import { createHash, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isVersionAtLeast } from './settings';
import { nestError, unauthorized } from './waha-error';
import type { World } from './world';

/** What every call passes before its route: the crash, the key, the faults. */
export class ApiGate {
  private readonly sockets = new Set<Socket>();
  private readonly keyHash: Buffer;
  private readonly knowsOnlyDefault: boolean;

  constructor(private readonly world: World) {
    const { apiKey, tier, version } = world.settings;
    this.keyHash = hash(apiKey);
    this.knowsOnlyDefault = tier === 'CORE' && !isVersionAtLeast(version, '2026.6.1');
  }

  /** Puts the gate before all routes of the application. */
  guard(app: FastifyInstance): void {
    app.addHook('onRequest', (request, reply, done) => {
      this.enter(request, reply, done);
    });
    app.addHook('onResponse', (request, _reply, done) => {
      this.sockets.delete(request.raw.socket);
      done();
    });
    app.addHook('onRequestAbort', (request, done) => {
      this.sockets.delete(request.raw.socket);
      done();
    });
    app.addHook('preValidation', (request, _reply, done) => {
      request.body ??= {};
      done();
    });
    app.addHook('preHandler', async (request, reply) => {
      if (request.method === 'POST') void reply.code(201);
      if (!isApi(request.url)) return;
      await this.strike();
      if (this.knowsOnlyDefault) refuseOtherThanDefault(request);
    });
  }

  /** Cuts the calls that wait for an answer, as a crash does. */
  cutCalls(): void {
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
  }

  private enter(request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
    if (request.url.startsWith('/simulator')) return done();
    const { socket } = request.raw;
    if (this.world.downUntilMs > Date.now()) {
      reply.hijack();
      socket.destroy();
      return;
    }
    this.sockets.add(socket);
    const isGuarded = isApi(request.url) || request.url.startsWith('/health');
    if (isGuarded && !this.isKey(givenKey(request))) return done(unauthorized());
    done();
  }

  private isKey(key: string): boolean {
    return timingSafeEqual(hash(key), this.keyHash);
  }

  private async strike(): Promise<void> {
    const { faults, timers } = this.world;
    if (faults.current.hang) await new Promise<never>(() => undefined);
    const latencyMs = faults.latencyMs();
    if (latencyMs > 0) await timers.pause(latencyMs);
    if (faults.random.chance(faults.current.error_rate)) throw new Error('Simulated failure, nothing was done');
  }
}

function isApi(url: string): boolean {
  return url.startsWith('/api/');
}

function hash(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function givenKey(request: FastifyRequest): string {
  const header = request.headers['x-api-key'];
  if (typeof header === 'string') return header;
  const { 'x-api-key': parameter } = request.query as Record<string, unknown>;
  return typeof parameter === 'string' ? parameter : '';
}

function refuseOtherThanDefault(request: FastifyRequest): void {
  const { session: inPath } = request.params as { session?: string };
  const { session: inBody, name } = request.body as { session?: string; name?: string };
  const { session: inQuery } = request.query as { session?: string };
  const session = inPath ?? inBody ?? inQuery ?? name ?? 'default';
  if (session === 'default') return;
  throw nestError(
    422,
    `WAHA Core support only 'default' session. You tried to access '${session}' session (base64: ${Buffer.from(session).toString('base64')})`,
  );
}
