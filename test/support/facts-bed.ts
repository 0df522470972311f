import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { RedisClient } from '../../src/platform/cache/redis';
import { SharedEpoch } from '../../src/platform/cache/shared-epoch';
import { SecretBox } from '../../src/platform/crypto/secret-box';
import { type FactQuestion, type FoundFact, SharedFacts } from '../../src/platform/facts/shared-facts';
import { SHARED_FACTS_SCRIPTS } from '../../src/platform/facts/shared-facts.script';
import { startRedis, type TestRedis } from './redis';
import { eventually } from './wait';

/** A process of a busy machine may find no time for Redis' answer in 50 ms, and these tests are not about that. */
export const FACTS_PATIENCE_MS = 500;

export interface Row {
  n: number;
  word?: string;
}

/** One process. */
export interface Replica {
  client: RedisClient;
  facts: SharedFacts;
  epoch: SharedEpoch;
}

/** A reading that has seen the state of now, and gives it when it is let go. */
export interface SlowReading {
  read: FactQuestion<Row>['read'];
  started: () => boolean;
  finish: () => void;
}

/** Several processes with one Redis, and a fact of another name for each test. */
export class FactsBed {
  readonly box = new SecretBox([randomBytes(32)]);
  replicas: Replica[] = [];
  server!: TestRedis;
  raw!: Redis;
  id = '';
  about = '';
  /** The place of truth, and how often it was asked. */
  source: { n: number | null; reads: number } = { n: 1, reads: 0 };

  async open(): Promise<void> {
    this.server = await startRedis();
    this.raw = new Redis(`${this.server.url}/1`);
    this.raw.on('error', () => undefined);
  }

  async close(): Promise<void> {
    this.raw.disconnect();
    await this.server.stop();
  }

  /** For each test: so many processes. */
  async begin(processes = 2): Promise<SharedFacts[]> {
    this.replicas = [];
    [this.id, this.about] = [`hash-${Math.random()}`, `access:${Math.random()}`];
    this.source = { n: 1, reads: 0 };
    for (let n = 0; n < processes; n += 1) await this.replica();
    return this.replicas.map(({ facts }) => facts);
  }

  end(): void {
    for (const { client, epoch } of this.replicas) {
      epoch.close();
      client.close();
    }
  }

  /** One more process. @param settled whether it has found Redis already */
  async replica(settled = true): Promise<Replica> {
    const client = new RedisClient({
      ...{ url: this.server.url, name: 'test', db: 1 },
      ...{ waitMs: FACTS_PATIENCE_MS, scripts: SHARED_FACTS_SCRIPTS },
    });
    const epoch = new SharedEpoch(client);
    const replica = { client, epoch, facts: new SharedFacts(client, epoch, this.box) };
    this.replicas.push(replica);
    if (settled) {
      await client.settled();
      await epoch.start();
    }
    return replica;
  }

  areUp(): Promise<unknown> {
    return eventually(() => this.replicas.every(({ client }) => client.state === 'up'), { what: 'Redis' });
  }

  readonly read = () => {
    this.source.reads += 1;
    const { n } = this.source;
    return Promise.resolve(n === null ? null : { about: this.about, value: { n } });
  };

  slow(): SlowReading {
    let finish: (() => void) | undefined;
    const read = async () => {
      const seen = await this.read();
      await new Promise<void>((resolve) => (finish = resolve));
      return seen;
    };
    return { read, started: () => finish !== undefined, finish: () => finish?.() };
  }

  find(facts: SharedFacts, more: Partial<FactQuestion<Row>> = {}): Promise<FoundFact<Row>> {
    return facts.find<Row>({ kind: 'key', id: this.id, read: this.read, ...more });
  }

  async valueIn(facts: SharedFacts): Promise<number | undefined> {
    return (await this.find(facts)).value?.n;
  }

  async write(facts: SharedFacts, n: number | null): Promise<void> {
    await facts.changing(this.about, () => Promise.resolve((this.source.n = n)));
  }

  /** Of the fact in Redis. */
  nameOf(what: 'value' | 'lease', id = this.id): string {
    return `switchboard:facts:key-1:${id}:${what}`;
  }

  /** Of what it is about. */
  nameAbout(what: 'generation' | 'writers'): string {
    return `switchboard:facts:about:${this.about}:${what}`;
  }
}
