import { withRoom } from './server-room';

/** Of the oldest so many those are taken of whose server there is room. */
const WINDOW = 10_000;

/** Asking WAHA whose hidden ids are. */
export const CHAT_STATEMENTS = {
  takeHiddenIds: {
    reason: 'One loop asks for the phones of the hidden ids of every tenant; one worker at a time asks for each.',
    // Asked again after 1 minute, and after a pause four times as long each time that WAHA did not know, of a day at most. While
    // the session does not work it is not asked, and that does not count.
    text: `
      with server as materialized (${withRoom(2)}),
      waiting as materialized (
        select w.*, row_number() over (partition by w.server_id order by w.ask_at) as place from (
          select c.tenant_id, c.session_id, c.chat, c.ask_at, s.server_id, server.room
          from chats c join sessions s on s.tenant_id = c.tenant_id and s.id = c.session_id join server on server.id = s.server_id
          where c.chat like '%@lid' and c.ask_at <= statement_timestamp() order by c.ask_at limit ${WINDOW}) w),
      due as (
        select c.tenant_id, c.session_id, c.chat from waiting w
        join chats c on c.tenant_id = w.tenant_id and c.session_id = w.session_id and c.chat = w.chat
        where w.place <= w.room and c.ask_at <= statement_timestamp()
        order by w.ask_at limit $1 for no key update of c skip locked),
      taken as (
        update chats c set asked = least(c.asked + s.works::int, 100),
          ask_at = case when s.desired = 'deleted' then null when s.works
            then clock_timestamp() + least(interval '1 day', interval '1 minute' * power(4, least(c.asked, 6)))
            else clock_timestamp() + interval '10 minutes' end
        from due join (select tenant_id, id, waha_name, server_id, desired, status = 'WORKING' as works from sessions) s
          on s.tenant_id = due.tenant_id and s.id = due.session_id
        where c.tenant_id = due.tenant_id and c.session_id = due.session_id and c.chat = due.chat
        returning c.tenant_id, c.session_id, c.chat, s.waha_name, s.server_id, s.works)
      select tenant_id, session_id, chat, waha_name, server_id, works from taken`,
  },
} as const;
