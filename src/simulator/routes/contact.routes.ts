import type { FastifyInstance } from 'fastify';
import { toChatId } from '../chat-ids';
import type { Session } from '../session';
import { nestError } from '../waha-error';
import type { World } from '../world';

interface ByName {
  Params: { session: string; id: string };
  Querystring: { limit?: string; offset?: string };
}

const MIN_PHONE_DIGITS = 6;

/** Numbers, hidden ids and the files of inbound messages. */
export function registerContactRoutes(app: FastifyInstance, world: World): void {
  app.get<{ Querystring: { phone?: string; session?: string } }>('/api/contacts/check-exists', async (request) => {
    const { phone, session } = request.query;
    if (session === undefined) throw nestError(400, 'Session name is required');
    const { lids } = await world.sessions.inStatus(session, 'WORKING');
    const digits = (phone ?? '').replace(/@.*$/, '').replace(/\D/g, '');
    const isKnown = digits.length >= MIN_PHONE_DIGITS && !world.faults.current.unknown_numbers.includes(digits);
    return isKnown ? { numberExists: true, chatId: lids.properId(`${digits}@c.us`) } : { numberExists: false };
  });
  registerLids(app, world);
  app.get<{ Params: { session: string; file: string } }>('/api/files/:session/:file', (request, reply) => {
    const { session, file } = request.params;
    const media = world.sessions.find(session)?.files.get(file.replace(/\.[^.]*$/, ''));
    if (media === undefined)
      throw nestError(404, `ENOENT: no such file or directory, stat '/app/.media/${session}/${file}'`);
    return reply.type(media.mimetype).send(media.bytes);
  });
}

function registerLids(app: FastifyInstance, world: World): void {
  const working = (name: string): Promise<Session> => world.sessions.inStatus(name, 'WORKING');
  app.get<ByName>('/api/:session/lids', async (request) => {
    const offset = Number(request.query.offset ?? 0);
    const pairs = (await working(request.params.session)).lids.pairs();
    return pairs.slice(offset, offset + Number(request.query.limit ?? 100)).map(([lid, pn]) => ({ lid, pn }));
  });
  app.get<ByName>('/api/:session/lids/count', async (request) => ({
    count: (await working(request.params.session)).lids.pairs().length,
  }));
  app.get<ByName>('/api/:session/lids/:id', async (request) => {
    const session = await working(request.params.session);
    const { id } = request.params;
    const lid = id.includes('@') ? id : `${id}@lid`;
    return { lid, pn: session.lids.phoneOf(lid) };
  });
  app.get<ByName>('/api/:session/lids/pn/:id', async (request) => {
    const session = await working(request.params.session);
    const pn = toChatId(request.params.id);
    return { lid: session.lids.lidOf(pn), pn };
  });
}
