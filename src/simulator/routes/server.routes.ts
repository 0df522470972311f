import type { FastifyInstance } from 'fastify';
import { environmentOf } from '../settings';
import type { World } from '../world';

/** `/ping`, `/health` and the server's version and status. */
export function registerServerRoutes(app: FastifyInstance, world: World): void {
  const environment = environmentOf(world.settings);
  app.get('/ping', () => ({ message: 'pong' }));
  app.get('/health', () => ({
    status: 'ok',
    info: { 'mediaFiles.space': { status: 'up' }, 'sessionsFiles.space': { status: 'up' } },
    error: {},
    details: { 'mediaFiles.space': { status: 'up' }, 'sessionsFiles.space': { status: 'up' } },
  }));
  app.get('/api/server/version', () => environment);
  app.get('/api/version', () => environment);
  app.get('/api/server/status', () => ({
    startTimestamp: world.startedAtMs,
    uptime: Date.now() - world.startedAtMs,
    worker: environment.worker,
  }));
}
