import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What became of the messages that an order's changes send, by what they tell; and which requests (the ids that their
 * Idempotency-Key gave them) made and closed it, so that one that is run again finds what it has done.
 */
export class OrderMessages1790003500000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    await q.query(`
      alter table orders add messages jsonb not null default '{}', add created_request uuid, add closed_request uuid`);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`alter table orders drop messages, drop created_request, drop closed_request`);
  }
}
