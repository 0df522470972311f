import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Since when the outcome of an attempt is on record as unknown: whoever settles it reads no more of the history than that. */
export class DoubtedAt1790004810000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      create function message_doubted_at(tenant uuid, message uuid, nth smallint) returns timestamptz
        language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
          select max(e.at) from message_events e
          where e.tenant_id = tenant and e.message_id = message and e.attempt = nth and e.status = 'unknown'
        $$`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop function message_doubted_at(uuid, uuid, smallint)`);
  }
}
