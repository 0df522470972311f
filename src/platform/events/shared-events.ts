import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import { newId } from '../../common/ids';
import { Config } from '../../config/config';
import { RedisClient } from '../cache/redis';
import { type DomainEventName, type DomainEvents, EventBus } from './domain-events';

const CHANNEL = 'switchboard:events';
const MAX_MESSAGE_LENGTH = 1_000;
/** How long Redis may take to answer here, and how often it is asked whether it still does. */
const ANSWER_MS = 1_000;
const PULSE_MS = 2_500;

/** What each shared event carries: texts under these names, and nothing else of a message is read. */
const SHARED = {
  'user.changed': ['tenantId', 'userId'],
  'user.ended': ['tenantId', 'userId'],
  'tenant.changed': ['tenantId'],
  'key.changed': ['tenantId', 'keyId'],
  'gateway.changed': ['tenantId'],
} as const satisfies { [N in DomainEventName]: readonly (keyof DomainEvents[N])[] };

/**
 * Tells the processes that share a Redis what this one has committed, and this one what they have, so that what is remembered
 * is forgotten everywhere within milliseconds. Nothing depends on its arriving: without Redis, or when a message is lost, what
 * is remembered ends with its own time to live.
 */
@Injectable()
export class SharedEvents implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(SharedEvents.name);
  /** Ours come back to us, too. */
  private readonly processId = newId();
  private subscriber: Redis | undefined;
  private pulse: NodeJS.Timeout | undefined;

  constructor(
    private readonly config: Config,
    private readonly redis: RedisClient,
    private readonly events: EventBus,
  ) {}

  /** Waits for nobody: a Redis that is frozen must not keep a process from starting. */
  onApplicationBootstrap(): void {
    const { REDIS_URL: url } = this.config;
    if (url === undefined) return;
    this.events.tells((name, event) => this.publish(name, event));
    this.listen(url);
  }

  onApplicationShutdown(): void {
    clearInterval(this.pulse);
    this.subscriber?.disconnect();
  }

  private publish(name: DomainEventName, event: DomainEvents[DomainEventName]): void {
    const message = JSON.stringify({ from: this.processId, name, event });
    void this.redis.use((redis) => redis.publish(CHANNEL, message));
  }

  /** The connection comes back by itself, subscribed; one that says nothing any more is given up. */
  private listen(url: string): void {
    const subscriber = new Redis(url, {
      connectionName: 'switchboard-events',
      connectTimeout: 500,
      commandTimeout: ANSWER_MS,
      enableOfflineQueue: false,
      keepAlive: 5_000,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt: number) => Math.min(attempt * 50, 500) + Math.random() * 100,
    });
    this.subscriber = subscriber;
    subscriber.on('error', (error: Error) => this.logger.debug(error.message));
    subscriber.on('message', (_channel: string, message: string) => this.heard(message));
    subscriber.on('ready', () => void subscriber.subscribe(CHANNEL).catch(() => subscriber.disconnect(true)));
    this.pulse = setInterval(() => {
      // A connection that stands in its greeting is as deaf as one that has fallen silent later.
      if (subscriber.status === 'ready') void subscriber.ping().catch(() => subscriber.disconnect(true));
      else if (subscriber.status === 'connect') subscriber.disconnect(true);
    }, PULSE_MS).unref();
  }

  /** What others wrote is only ever read as names and ids. */
  private heard(message: string): void {
    const told = message.length <= MAX_MESSAGE_LENGTH ? read(message) : null;
    if (!told || told.from === this.processId) return;
    const fields = Object.hasOwn(SHARED, told.name) ? SHARED[told.name as DomainEventName] : null;
    if (!fields) return;
    const event = fieldsOf(told.event, fields);
    if (event) this.events.elsewhere(told.name as DomainEventName, event as never);
  }
}

interface Told {
  from: unknown;
  name: string;
  event: object;
}

function read(message: string): Told | null {
  try {
    const value = JSON.parse(message) as Partial<Told> | null;
    if (typeof value?.name !== 'string' || typeof value.event !== 'object' || value.event === null) return null;
    return { from: value.from, name: value.name, event: value.event };
  } catch {
    return null;
  }
}

function fieldsOf(event: object, names: readonly string[]): Record<string, string> | null {
  const given = event as Record<string, unknown>;
  const fields: Record<string, string> = {};
  for (const name of names) {
    const value = given[name];
    if (typeof value !== 'string') return null;
    fields[name] = value;
  }
  return fields;
}
