import type { Config } from '../../config/config';
import type { WahaMessage } from '../waha/waha.events';
import { MEDIA_TYPES } from './message-content';

/** Until a call begins after its attempt is on record, and how far clocks may differ. */
const MARGIN_MS = 10_000;

const FILES = MEDIA_TYPES.map((type) => `'${type}'`).join(', ');

/**
 * An attempt without a reserved id whose answer never came: the echo of the same words in the same chat is that message. A file
 * without words is told by its kind, where WAHA says it (in lists it does not); whatever was sent as a `file` comes back as what it is. An id that was reserved for a file, as
 * was done once, counts as none.
 *
 * Words may be said twice. WhatsApp's time of the message (whole seconds; clocks differ by less than 5 s) says which attempt it is
 * of: never one that began later, or whose time was over long before. Of several the one that is under way; else the last one
 * that had begun by then.
 */
export const BIND = `
  update messages set wa_id = $4, wa_id_reserved = false where tenant_id = $1 and id = (
    select id from messages where tenant_id = $1 and session_id = $2 and chat = (select canonical_chat($1, $2, $3))
      and (wa_id is null or (wa_id_reserved and type in (${FILES})))
      and status in ('sending', 'unknown') and body is not distinct from $5
      and attempted_at <= $7::timestamptz + interval '5 seconds' and attempted_at >= $7::timestamptz - $8::float8 * interval '1 ms'
      and ($5::text is not null or type = $6 or (type = 'file' and $6 in ('image', 'voice', 'video'))
        or ($9::boolean and type in (${FILES})))
    order by status = 'sending' desc, attempted_at > $7::timestamptz + interval '1 second',
      abs(extract(epoch from attempted_at - $7::timestamptz)), seq limit 1)
  returning id`;

/** What BIND takes: it looks back for as long as the call may take, and a slow WAHA may do it after that. */
export const bindParams = (
  { tenantId, sessionId }: { tenantId: string; sessionId: string },
  { chat, waId, body, type, at, media }: WahaMessage,
  { WAHA_FILE_TIMEOUT_MS, WAHA_TIMEOUT_MS, WAHA_LATE_MS }: Config,
): unknown[] => {
  const callMs = media === null ? WAHA_TIMEOUT_MS : WAHA_FILE_TIMEOUT_MS;
  const isFileOfNoKind = media !== null && media.mimetype === null;
  return [tenantId, sessionId, chat, waId, body, type, at, callMs + WAHA_LATE_MS + MARGIN_MS, isFileOfNoKind];
};
