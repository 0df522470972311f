import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // From when on WAHA is to be asked for what it may have told nobody (null: nothing is missing), and when next.
  `alter table sessions add catch_up_from timestamptz, add catch_up_at timestamptz`,
  `create index sessions_to_catch_up on sessions (catch_up_at) where catch_up_at is not null`,
  // Until when somebody stood at the door of the webhooks: longer ago than WAHA tries again, and events were lost.
  `
    create table webhook_door (
      one boolean not null default true check (one),
      open_at timestamptz not null default now(),
      constraint webhook_door_pk primary key (one)
    )`,
  `insert into webhook_door default values`,
];

/** What was missed while WAHA or we were away. */
export class CatchUp1790002000000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table webhook_door`);
    await q.query(`alter table sessions drop catch_up_from, drop catch_up_at`);
  }
}
