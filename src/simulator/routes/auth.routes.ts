import type { FastifyInstance } from 'fastify';
import { toBuffer } from 'qrcode';
import { toChatId } from '../chat-ids';
import { pairingCode } from '../ids';
import { requireSession } from '../session-registry';
import { nestError, sessionNotStarted } from '../waha-error';
import type { World } from '../world';

const QR_WIDTH_PX = 276;

interface ByName {
  Params: { session: string };
}

/** `/api/{session}/auth`: the QR picture and the pairing code. */
export function registerAuthRoutes(app: FastifyInstance, world: World): void {
  app.get<ByName & { Querystring: { format?: string } }>('/api/:session/auth/qr', async (request, reply) => {
    const session = await world.sessions.inStatus(request.params.session, 'SCAN_QR_CODE');
    const value = session.qr ?? '';
    if (request.query.format === 'raw') return { value };
    const png = await toBuffer(value, { width: QR_WIDTH_PX });
    if (request.headers.accept?.includes('application/json') === true) {
      return { mimetype: 'image/png', data: png.toString('base64') };
    }
    return reply.type('image/png').send(png);
  });
  app.post<ByName & { Body: { phoneNumber?: unknown; method?: unknown } }>(
    '/api/:session/auth/request-code',
    async (request) => {
      const { session: name } = request.params;
      const session = requireSession(world.sessions, name, () => sessionNotStarted(name));
      if (session.status === 'STOPPED') throw sessionNotStarted(name);
      const { phoneNumber, method } = request.body;
      if (typeof phoneNumber !== 'string') throw nestError(400, ['phoneNumber must be a string']);
      if (method !== undefined && method !== null && method !== '' && world.settings.engine === 'NOWEB') {
        throw nestError(422, `NOWEB engine doesn't support any 'method', remove it`);
      }
      // WAHA hangs here until there is a code to scan, however long that takes.
      await world.sessions.afterStarting(session);
      await world.sessions.inStatus(name, 'SCAN_QR_CODE');
      session.pairingPhone = toChatId(phoneNumber.replace(/\D/g, ''));
      return { code: pairingCode() };
    },
  );
}
