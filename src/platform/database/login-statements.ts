import { AUDIT_COLUMNS } from '../audit/audit-record';

/** So many failures of one account within the window lock it for as long again. */
export const FAILURES_THAT_LOCK = 5;
const WINDOW = `interval '15 minutes'`;

// Of a locked account all; of one whose lock is over none; else those that are still in the window.
const KEPT = `case when f.locked_until > clock_timestamp() then f.failed_at
        when f.locked_until is not null then '{}'::timestamptz[]
        else array(select t from unnest(f.failed_at) t where t > clock_timestamp() - ${WINDOW}) end`;

const LOCKED_S = `greatest(1, ceil(extract(epoch from locked_until - clock_timestamp())))::int as locked_s`;

/**
 * Who logs in, and how often an account was failed at. An account is an email, whoever has it and whether or not anybody
 * does; the table knows it by an HMAC. Each statement is one row's work, so that of any number of attempts at once, in any
 * number of processes, the row's lock makes an order: the first five failures are told so, all that comes after is refused.
 */
export const LOGIN_STATEMENTS = {
  loginsByEmail: {
    reason: 'Somebody logs in with an email and a password: which tenant it is, is the question.',
    text: `select u.tenant_id, u.id, u.email, u.name, u.role, u.status, u.password_hash, t.slug as tenant_slug,
        t.name as tenant_name, t.status as tenant_status
      from users u join tenants t on t.id = u.tenant_id where u.email = $1 order by u.tenant_id`,
  },
  mostAccountsOfAnEmail: {
    reason: 'A refused login takes as long for every email, as long as for the one with the most accounts.',
    text: `select max(n)::int as most from (select count(*) as n from users group by email) e`,
  },
  loginLock: {
    reason: 'An account is an email, which may be of several tenants or of none.',
    text: `select ${LOCKED_S} from login_failures where account = $1 and locked_until > clock_timestamp()`,
  },
  loginFailed: {
    reason: 'An account is an email, which may be of several tenants or of none; what locks it is recorded with it.',
    // More failures than lock: the attempt was on its way when the lock came, and its outcome is told to nobody.
    text: `with noted as (
        insert into login_failures as f (account, failed_at, last_at)
          values ($1, array[clock_timestamp()], clock_timestamp())
        on conflict (account) do update set last_at = clock_timestamp(), failed_at = ${KEPT} || clock_timestamp(),
          locked_until = case when f.locked_until > clock_timestamp() then f.locked_until
            when cardinality(${KEPT}) + 1 >= ${FAILURES_THAT_LOCK} then clock_timestamp() + ${WINDOW} end
        returning cardinality(failed_at) as failures, locked_until),
      recorded as (insert into audit_logs (${AUDIT_COLUMNS})
        select $2::uuid, $3::uuid, $4::text, $5::uuid, $6::text, $7::text, $8::jsonb, $9::text, $10::text, $11::bytea,
          $12::bytea from noted where failures = ${FAILURES_THAT_LOCK})
      select failures, ${LOCKED_S} from noted`,
  },
  loginSucceeded: {
    reason: 'An account is an email, which may be of several tenants.',
    text: `with held as (select account, locked_until, locked_until > clock_timestamp() as locked
        from login_failures where account = $1 for update),
      cleared as (delete from login_failures f using held
        where $2::boolean and f.account = held.account and held.locked is not true)
      select ${LOCKED_S} from held where locked`,
  },
} as const;
