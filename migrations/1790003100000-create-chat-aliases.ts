import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // The other ids of a chat of two: its hidden id, or its phone as somebody spelled it. What an alias leads to is none itself, so
  // that one look is enough.
  `
    create table chat_aliases (
      tenant_id uuid not null,
      session_id uuid not null,
      alias text not null check (length(alias) <= 128),
      chat text not null check (length(chat) <= 128),
      told_at timestamptz not null,
      constraint chat_aliases_pk primary key (tenant_id, session_id, alias),
      constraint chat_aliases_session_fk foreign key (tenant_id, session_id) references sessions (tenant_id, id) on delete cascade,
      constraint chat_aliases_other_check check (alias <> chat)
    )`,
  `create index chat_aliases_by_alias on chat_aliases (tenant_id, alias)`,
  `create index chat_aliases_by_chat on chat_aliases (tenant_id, chat)`,
  // Volatile, so that its look is newer than that of the statement that calls it: a statement that waited for its lane sees what
  // was learnt meanwhile.
  `
    create function canonical_chat(tenant uuid, session uuid, given text) returns text language plpgsql volatile as $$
    begin
      return coalesce(
        (select a.chat from chat_aliases a where a.tenant_id = tenant and a.session_id = session and a.alias = given), given);
    end $$`,
  // When WAHA is asked next whose a hidden id is, and how often it did not know. All that are there are asked about, and every
  // new one, without the statements that find chats knowing of it.
  `alter table chats add ask_at timestamptz default now(), add asked smallint not null default 0`,
  `create index chats_hidden on chats (ask_at) where chat like '%@lid'`,
];

/** One person, several ids, is one contact. */
export class CreateChatAliases1790003100000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop index chats_hidden`);
    await q.query(`alter table chats drop ask_at, drop asked`);
    await q.query(`drop function canonical_chat(uuid, uuid, text)`);
    await q.query(`drop table chat_aliases`);
  }
}
