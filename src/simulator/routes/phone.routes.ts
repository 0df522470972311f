import type { FastifyInstance } from 'fastify';
import { toChatId } from '../chat-ids';
import { EVENT_NAMES, type EventName } from '../event-names';
import { serializedId, type Message } from '../message';
import type { Me } from '../me';
import type { Session } from '../session';
import { requireSession } from '../session-registry';
import { nestError, sessionNotFound } from '../waha-error';
import type { World } from '../world';

interface ByName<Body> {
  Params: { name: string };
  Body: Body;
}

interface InboundBody {
  from: string;
  text?: string;
  id?: string;
  lid?: string;
  participant?: string;
  push_name?: string;
  media?: { mimetype: string; data: string; filename?: string };
}

const text = { type: 'string', minLength: 1 };
/** Digits alone are a phone number. */
const PHONE = String.raw`\d{4,20}(?:@(?:c\.us|s\.whatsapp\.net))?`;
const phone = { type: 'string', pattern: `^${PHONE}$` };
const lid = { type: 'string', pattern: String.raw`^\d{5,20}(?:@lid)?$` };
const person = { type: 'string', pattern: String.raw`^(?:${PHONE}|\d{5,20}@lid)$` };
const chat = {
  type: 'string',
  pattern: String.raw`^(?:${PHONE}|\d{5,20}@(?:lid|newsletter)|\d{5,20}(?:-\d{5,15})?@g\.us|status@broadcast)$`,
};

function object(properties: Record<string, unknown>, required: string[] = []): Record<string, unknown> {
  return { type: 'object', required, propertyNames: { enum: Object.keys(properties) }, properties };
}

const SCAN_BODY = object({ phone, push_name: text });
const INBOUND_BODY = object(
  {
    from: chat,
    text: { type: 'string' },
    id: text,
    lid,
    participant: person,
    push_name: text,
    media: object({ mimetype: text, data: { type: 'string' }, filename: text }, ['mimetype', 'data']),
  },
  ['from'],
);
const PERSON_BODY = object({ phone, lid, written: phone }, ['phone']);
const PHONE_SEND_BODY = object({ to: chat, text: { type: 'string' } }, ['to', 'text']);
const ACK_BODY = object({ id: text, ack: { type: 'integer', minimum: -1, maximum: 4 } }, ['id', 'ack']);
const EVENT_BODY = object({ event: { enum: [...EVENT_NAMES] }, payload: { type: 'object' } }, ['event', 'payload']);
const TIMES = { type: 'integer', minimum: 0, maximum: 1000 };
const FAIL_BODY = { ...object({ times: { ...TIMES, minimum: 1 } }), nullable: true };
const DEAF_BODY = { ...object({ starts: TIMES }), nullable: true };
const DISCONNECT_BODY = object({ for_ms: { type: 'number', minimum: 0 } });

/** `/simulator/sessions/:name`: what the owner's phone, the people who write and WhatsApp itself do. */
export function registerPhoneRoutes(app: FastifyInstance, world: World): void {
  registerPairing(app, world);
  registerMessages(app, world);
  registerPeople(app, world);
  registerTroubles(app, world);
}

function registerPairing(app: FastifyInstance, world: World): void {
  app.post<ByName<{ phone?: string; push_name?: string }>>(
    '/simulator/sessions/:name/scan',
    { schema: { body: SCAN_BODY } },
    (request) => {
      const session = sessionOf(world, request.params.name);
      const { phone, push_name: pushName } = request.body;
      const { random } = world.faults;
      const id = phone === undefined ? (session.pairingPhone ?? `55119${random.digits(8)}@c.us`) : toChatId(phone);
      const me: Me = { id, pushName: pushName ?? 'Simulated phone', lid: `1${random.digits(14)}@lid` };
      if (!session.pair(me))
        throw nestError(409, `Session '${session.name}' is ${session.status}, there is no code to scan`);
      return { name: session.name, status: session.status, me };
    },
  );
}

function registerMessages(app: FastifyInstance, world: World): void {
  const base = '/simulator/sessions/:name';
  const written = (session: Session, message: Message) => ({
    id: serializedId(message, session.me?.id ?? null),
    bare_id: message.bareId,
    chat_id: message.chatId,
    held: session.status !== 'WORKING',
  });
  app.post<ByName<InboundBody>>(`${base}/inbound`, { schema: { body: INBOUND_BODY } }, (request) => {
    const session = pairedSession(world, request.params.name);
    const { from, lid, media, participant, ...body } = request.body;
    const message = world.whatsapp.receive(session, {
      from: toChatId(from),
      text: body.text ?? '',
      id: body.id ?? null,
      lid: lid === undefined ? null : toHiddenId(lid),
      participant: participant === undefined ? null : toChatId(participant),
      pushName: body.push_name ?? 'Alice',
      media:
        media === undefined
          ? null
          : { mimetype: media.mimetype, filename: media.filename ?? null, bytes: Buffer.from(media.data, 'base64') },
    });
    return written(session, message);
  });
  app.post<ByName<{ to: string; text: string }>>(
    `${base}/phone-send`,
    { schema: { body: PHONE_SEND_BODY } },
    (request) => {
      const session = pairedSession(world, request.params.name);
      return written(session, world.whatsapp.sendFromPhone(session, toChatId(request.body.to), request.body.text));
    },
  );
  app.post<ByName<{ id: string; ack: number }>>(`${base}/ack`, { schema: { body: ACK_BODY } }, (request) => {
    const session = sessionOf(world, request.params.name);
    const message = session.store.find(request.body.id);
    if (message === undefined) throw nestError(404, `No stored message with the bare id '${request.body.id}'`);
    world.whatsapp.acknowledge(session, message, request.body.ack);
    return { bare_id: message.bareId, ack: message.ack };
  });
  app.post<ByName<{ event: EventName; payload: Record<string, unknown> }>>(
    `${base}/event`,
    { schema: { body: EVENT_BODY } },
    (request) => {
      world.publisher.publish(sessionOf(world, request.params.name), [request.body.event], request.body.payload);
      return { published: request.body.event };
    },
  );
}

function registerPeople(app: FastifyInstance, world: World): void {
  app.post<ByName<{ phone: string; lid?: string; written?: string }>>(
    '/simulator/sessions/:name/person',
    { schema: { body: PERSON_BODY } },
    (request) => {
      const { lids } = pairedSession(world, request.params.name);
      const { lid, written } = request.body;
      const phone = toChatId(request.body.phone);
      if (lid !== undefined) lids.learn(toHiddenId(lid), phone);
      if (written !== undefined) lids.respell(toChatId(written), phone);
      world.state.touch();
      return { phone, lid: lids.lidOf(phone) };
    },
  );
}

const toHiddenId = (lid: string): string => (lid.includes('@') ? lid : `${lid}@lid`);

function registerTroubles(app: FastifyInstance, world: World): void {
  const base = '/simulator/sessions/:name';
  const state = (session: Session) => {
    world.state.touch();
    return { name: session.name, status: session.status };
  };
  app.post<ByName<unknown>>(`${base}/logout-from-phone`, (request) => {
    const session = pairedSession(world, request.params.name);
    session.logoutFromPhone();
    return state(session);
  });
  app.post<ByName<{ times?: number } | null>>(`${base}/fail`, { schema: { body: FAIL_BODY } }, (request) => {
    const session = runningSession(world, request.params.name);
    session.failingStarts = (request.body?.times ?? 1) - 1;
    session.fail();
    return state(session);
  });
  app.post<ByName<{ starts?: number } | null>>(`${base}/deaf`, { schema: { body: DEAF_BODY } }, (request) => {
    const session = sessionOf(world, request.params.name);
    session.deafForStarts = request.body?.starts ?? 1;
    return { name: session.name, status: session.status, deaf: session.deaf };
  });
  app.post<ByName<{ for_ms?: number }>>(`${base}/disconnect`, { schema: { body: DISCONNECT_BODY } }, (request) => {
    const session = runningSession(world, request.params.name);
    session.disconnect(request.body.for_ms ?? world.settings.timing.reconnect);
    return state(session);
  });
}

function sessionOf(world: World, name: string): Session {
  return requireSession(world.sessions, name, sessionNotFound);
}

function pairedSession(world: World, name: string): Session {
  const session = sessionOf(world, name);
  if (session.me === null) throw nestError(409, `Session '${name}' is not paired with a phone`);
  return session;
}

function runningSession(world: World, name: string): Session {
  const session = sessionOf(world, name);
  if (session.status === 'STOPPED') throw nestError(409, `Session '${name}' does not run`);
  return session;
}
