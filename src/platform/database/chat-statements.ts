/** Asking WAHA whose hidden ids are. */
export const CHAT_STATEMENTS = {
  takeHiddenIds: {
    reason: 'One loop asks for the phones of the hidden ids of every tenant; one worker at a time asks for each.',
    // Asked again after 1 minute, and after a pause four times as long each time that WAHA did not know, of a day at most. While
    // the session does not work it is not asked, and that does not count.
    text: `
      with due as (
        select tenant_id, session_id, chat from chats where chat like '%@lid' and ask_at <= statement_timestamp()
        order by ask_at limit $1 for no key update skip locked),
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
