import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../../platform/database/tenant-database';

/** A day of a tenant. */
export interface Day {
  /** `YYYY-MM-DD`. */
  day: string;
  began: Date;
}

/** The day that is asked about. */
export interface Asked {
  day: string;
  /** The least id that something of this day can have. */
  firstId: string;
  /** Whether the tenant's messages are bounded: then they are counted as they are accepted, and what counts there is shown. */
  limited: boolean;
}

export interface Sums {
  messages: number;
  sessions: number;
  users: number;
  apiCalls: number;
}

const TODAY = `
  select to_char(t.day, 'YYYY-MM-DD') as day, t.day at time zone $1 as began
  from (select date_trunc('day', now() at time zone $1) as day) t`;

// A reading roll-up over the tables of other features, in one round trip: it decides nothing, and whoever enforces a bound
// counts for itself. Ids grow with time, so that a day of messages is a range of the primary key.
const SUMS = `
  select
    (case when $4::boolean
      then coalesce((select messages from tenant_usage where tenant_id = $1 and day = $2::date), 0)
      else (select count(*) from messages where tenant_id = $1 and id >= $3::uuid and direction = 'outbound' and source = 'api')
    end)::float8 as messages,
    (select count(*) from sessions where tenant_id = $1 and desired <> 'deleted')::float8 as sessions,
    (select count(*) from users where tenant_id = $1)::float8 as users,
    coalesce((select api_calls from tenant_usage where tenant_id = $1 and day = $2::date), 0)::float8 as "apiCalls"`;

/** Reads what a tenant uses. */
@Injectable()
export class UsageRepository {
  constructor(private readonly db: TenantDatabase) {}

  /** Today in that time zone. */
  async today(tenantId: string, timeZone: string): Promise<Day> {
    const [row] = await this.db.query<Day>(tenantId, TODAY, [timeZone]);
    if (!row) throw new Error('The database knows no day');
    return row;
  }

  /** What is used, of that day and in all. */
  async sums(tenantId: string, { day, firstId, limited }: Asked): Promise<Sums> {
    const [row] = await this.db.query<Sums>(tenantId, SUMS, [tenantId, day, firstId, limited]);
    return row ?? { messages: 0, sessions: 0, users: 0, apiCalls: 0 };
  }
}
