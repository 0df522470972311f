import type { FastifyInstance } from 'fastify';
import type { ApiGate } from '../api-gate';
import { FAULT_BODY, type FaultChange } from '../faults';
import { aboutPage, ENDPOINTS, NOTICE } from '../about';
import { nestError } from '../waha-error';
import type { World } from '../world';

const RESTART_BODY = {
  type: 'object',
  propertyNames: { enum: ['down_ms'] },
  properties: { down_ms: { type: 'number', minimum: 0 } },
};

/** `/simulator`: what it is, what was sent and delivered, what goes wrong on demand, crashes. */
export function registerFaultRoutes(app: FastifyInstance, world: World, gate: ApiGate): void {
  registerAbout(app, world);
  registerRecords(app, world);
  registerFaults(app, world);
  app.post<{ Body: { down_ms?: number } }>('/simulator/restart', { schema: { body: RESTART_BODY } }, (request) => {
    gate.cutCalls();
    world.crash(request.body.down_ms ?? 0);
    return { restarted: true };
  });
  app.post('/simulator/forget', () => {
    const forgotten = world.sessions.list().length;
    world.forget();
    return { forgotten };
  });
}

function registerAbout(app: FastifyInstance, world: World): void {
  app.get('/simulator', (request, reply) => {
    const { engine, version, seed } = world.settings;
    if (request.headers.accept?.includes('text/html') === true) {
      return reply.type('text/html; charset=utf-8').send(aboutPage(engine, version));
    }
    const sessions = world.sessions.list().map(({ name, status }) => ({ name, status }));
    return { notice: NOTICE, engine, version, seed, sends: world.sends.size, sessions, endpoints: ENDPOINTS };
  });
}

function registerRecords(app: FastifyInstance, world: World): void {
  app.get<{ Querystring: { session?: string; after?: string } }>('/simulator/sends', (request) => {
    const after = Number(request.query.after ?? 0);
    if (!Number.isSafeInteger(after)) throw nestError(400, ['after must be a whole number']);
    return world.sends.list(after, request.query.session ?? null);
  });
  app.delete('/simulator/sends', (_request, reply) => {
    world.sends.clear();
    return reply.send();
  });
  app.get('/simulator/webhooks', () => world.webhooks.counters());
}

function registerFaults(app: FastifyInstance, world: World): void {
  app.get('/simulator/faults', () => world.faults.describe());
  app.put<{ Body: FaultChange }>('/simulator/faults', { schema: { body: FAULT_BODY } }, (request) => {
    world.faults.replace(request.body);
    world.webhooks.resume();
    return world.faults.describe();
  });
  app.delete('/simulator/faults', () => {
    world.faults.clear();
    world.webhooks.resume();
    return world.faults.describe();
  });
}
