import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import { newId } from '../../src/common/ids';
import type { Config } from '../../src/config/config';
import { ChainKeys } from '../../src/modules/audit/chain';
import { ChainsRepository } from '../../src/modules/audit/chains.repository';
import { Sealer } from '../../src/modules/audit/sealer.service';
import { ChainVerifier, type NotedHead, type Verdict } from '../../src/modules/audit/verifier.service';
import { BatchDatabase } from '../../src/platform/database/batch-database';
import { SystemDatabase } from '../../src/platform/database/system-database';
import { AuditLog } from '../../src/platform/audit/audit-log';
import { NOBODY } from '../../src/platform/audit/audit-record';
import { Metrics } from '../../src/platform/metrics/metrics';
import type { Doors } from '../database/database.harness';
import { TEST_ENCRYPTION_KEY } from './run';

/** Only ever used by tests. */
export const CHAIN_KEYS = new ChainKeys(Buffer.from(TEST_ENCRYPTION_KEY, 'base64'));

/** A quarter of it is the audit log's: more than any PostgreSQL of a test is away. */
export const SHUTTING_DOWN = { SHUTDOWN_TIMEOUT_S: 240 } as Config;

/** The audit trail over the doors of a test, with its sealer and its verifier. */
export class TestTrail {
  readonly log: AuditLog;
  readonly metrics = new Metrics();
  readonly chains: ChainsRepository;
  readonly sealer: Sealer;
  private readonly verifier: ChainVerifier;

  constructor(
    private readonly owner: Client,
    readonly doors: { tenant: Doors['tenant']; batch: BatchDatabase; system: SystemDatabase },
  ) {
    this.log = new AuditLog(doors.batch, this.metrics, SHUTTING_DOWN);
    this.chains = new ChainsRepository(doors.system);
    this.sealer = new Sealer(this.chains, CHAIN_KEYS);
    this.verifier = new ChainVerifier(doors.system, CHAIN_KEYS);
  }

  /** So many records, each in a transaction of its own; their ids, oldest first. */
  async write(tenantId: string, count: number): Promise<string[]> {
    for (let i = 0; i < count; i += 1)
      await this.doors.tenant.transaction(tenantId, (tx) =>
        this.log.recordAs(tx, tenantId, NOBODY, {
          action: 'LOGIN_FAILED',
          resource: `user:${i}`,
          metadata: { z: 1.5e3, a: ['ü', null], nth: i },
          personal: { email: `person${i}@acme.example` },
        }),
      );
    return this.ids(tenantId);
  }

  /** A chain of 12 records under three seals, and two that wait; the ids of all, oldest first. */
  async threeSeals(): Promise<{ tenant: string; ids: string[] }> {
    const tenant = newId();
    for (let seal = 0; seal < 3; seal += 1) {
      await this.write(tenant, 4);
      await this.sealer.seal(tenant);
    }
    return { tenant, ids: await this.write(tenant, 2) };
  }

  /** So many records in one statement, of the time that is `ago` before now (`'0 s'`, `'14 months'`). */
  async writeMany(tenantId: string, count: number, ago = '0 s'): Promise<void> {
    const salt = Buffer.alloc(16, 1);
    const text = '{"ip":"192.0.2.1","user_agent":null}';
    const hash = createHash('sha256').update(salt).update(text).digest();
    await this.owner.query(
      `insert into audit_logs (tenant_id, id, at, actor_kind, action, resource, metadata, personal, personal_salt, personal_hash)
        select $1, gen_random_uuid(), clock_timestamp() - $2::interval, 'nobody', 'ACCESS_DENIED', 'GET /users/' || n,
          '{"status":401}', $4, $5, $6 from generate_series(1, $3::int) n`,
      [tenantId, ago, count, text, salt, hash],
    );
  }

  /** Seals all that waits. */
  async seal(tenantId: string): Promise<void> {
    while ((await this.sealer.seal(tenantId)) > 0);
  }

  verify(tenantId: string, noted?: NotedHead): Promise<Verdict> {
    return this.verifier.verify(tenantId, noted);
  }

  /** Of the records that stand, oldest first. */
  async ids(tenantId: string): Promise<string[]> {
    const { rows } = await this.owner.query<{ id: string }>(
      'select id from audit_logs where tenant_id = $1 order by at, id',
      [tenantId],
    );
    return rows.map(({ id }) => id);
  }

  /** A tenant of the trail; no row of tenants is needed for it. */
  readonly newTenant = (): string => newId();
}
