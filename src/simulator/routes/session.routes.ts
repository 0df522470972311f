import type { FastifyInstance } from 'fastify';
import { ulid } from '../ids';
import { CREATE_SESSION_BODY, UPDATE_SESSION_BODY, type SessionConfig } from '../session-config';
import { sessionDetails, sessionListItem } from '../session-info';
import { requireSession } from '../session-registry';
import type { Session } from '../session';
import { nestError, sessionNotFound, sessionNotStarted } from '../waha-error';
import type { World } from '../world';

interface CreateBody {
  name?: string | null;
  start?: boolean | null;
  config?: SessionConfig | null;
}

interface ByName {
  Params: { session: string };
}

/** `/api/sessions`: create, read, change, delete and the calls that start and stop. */
export function registerSessionRoutes(app: FastifyInstance, world: World): void {
  registerReading(app, world);
  registerWriting(app, world);
  registerLifecycle(app, world);
}

function registerReading(app: FastifyInstance, world: World): void {
  const { engine } = world.settings;
  app.get<{ Querystring: { all?: string } }>('/api/sessions', (request) => {
    const isAll = request.query.all === 'true';
    return world.sessions
      .list()
      .filter((session) => isAll || session.status !== 'STOPPED')
      .map(sessionListItem);
  });
  app.get<ByName>('/api/sessions/:session', (request) =>
    sessionDetails(requireSession(world.sessions, request.params.session, sessionNotFound), engine),
  );
  app.get<ByName>('/api/sessions/:session/me', (request, reply) => {
    const { session: name } = request.params;
    const session = requireSession(world.sessions, name, () => sessionNotStarted(name));
    if (session.status === 'STOPPED') throw sessionNotStarted(name);
    // Without a `me` the answer is an empty body, as for every null of WAHA.
    return session.me === null ? reply.send() : session.me;
  });
}

function registerWriting(app: FastifyInstance, world: World): void {
  const { engine } = world.settings;
  app.post<{ Body: CreateBody }>('/api/sessions', { schema: { body: CREATE_SESSION_BODY } }, (request) => {
    const { name: wanted, start, config } = request.body;
    const isNamed = wanted !== undefined && wanted !== null && wanted !== '';
    const name = isNamed ? wanted : `session_${ulid(Date.now())}`;
    if (world.sessions.find(name) !== undefined) {
      throw nestError(422, `Session '${name}' already exists. Use PUT to update it.`);
    }
    const session = world.createSession(name, config ?? null);
    if (start === true) session.start();
    return sessionDetails(session, engine);
  });
  app.put<ByName & { Body: { config?: SessionConfig | null } }>(
    '/api/sessions/:session',
    { schema: { body: UPDATE_SESSION_BODY } },
    (request) => {
      const session = requireSession(world.sessions, request.params.session, sessionNotFound);
      session.config = request.body.config ?? null;
      world.state.touch();
      if (session.status !== 'STOPPED') session.restart();
      return sessionDetails(session, engine);
    },
  );
  app.delete<ByName>('/api/sessions/:session', (request, reply) => {
    world.deleteSession(request.params.session);
    return reply.send();
  });
}

function registerLifecycle(app: FastifyInstance, world: World): void {
  const { engine } = world.settings;
  const act = (verb: string, action: (session: Session) => void) => {
    app.post<ByName>(`/api/sessions/:session/${verb}`, (request) => {
      const session = requireSession(world.sessions, request.params.session, sessionNotFound);
      action(session);
      world.state.touch();
      return sessionDetails(session, engine);
    });
  };
  act('start', (session) => session.start());
  act('restart', (session) => session.restart());
  act('logout', (session) => session.logout());
  app.post<ByName>('/api/sessions/:session/stop', (request, reply) => {
    const session = world.sessions.find(request.params.session);
    if (session === undefined) return reply.send();
    session.stop();
    return sessionDetails(session, engine);
  });
}
