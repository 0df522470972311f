import type { S3ClientConfig } from '@aws-sdk/client-s3';

/** How much is asked of the service at once, and how long it may take. */
export interface S3Bounds {
  /** Objects read at once, a connection each. */
  reads: number;
  /** Connections for everything else. */
  writes: number;
  /** How long somebody waits until another one may be read. */
  waitMs: number;
  /** Until a connection is there. */
  connectMs: number;
  /** Until an answer begins, once asked. */
  answerMs: number;
  /** The same with all attempts at it, and for calls without a body as a whole. */
  callMs: number;
  /** So long nothing may move while an object is read, be it that the service says nothing or that the reader takes nothing. */
  readIdleMs: number;
  /** So long nothing may move while something is stored. */
  writeIdleMs: number;
  /** How long a part of an object may take to be stored. */
  partMs: number;
  /** What is still under way so long after the end began is broken off. */
  endMs: number;
}

const TIMES = {
  ...{ waitMs: 5_000, connectMs: 3_000, answerMs: 10_000, callMs: 15_000 },
  ...{ readIdleMs: 60_000, writeIdleMs: 20_000, partMs: 60_000, endMs: 5_000 },
};

/** For who waits for an answer. */
export const OF_REQUESTS: S3Bounds = { ...TIMES, reads: 500, writes: 200 };

/** For what nobody waits for: on connections of its own, so that neither takes one from the other. */
export const IN_BACKGROUND: S3Bounds = { ...TIMES, reads: 50, writes: 50 };

type Bounded = Pick<S3ClientConfig, 'maxAttempts' | 'requestHandler' | 'expectContinueHeader'>;

const handler = (connections: number, times: { connectMs: number; answerMs: number; idleMs: number }) => ({
  httpAgent: { keepAlive: true, maxSockets: connections },
  httpsAgent: { keepAlive: true, maxSockets: connections },
  connectionTimeout: times.connectMs, // a connection that is not free counts as well
  requestTimeout: times.answerMs,
  throwOnRequestTimeout: true,
  socketTimeout: times.idleMs,
});

/** What the client that reads is made with. */
export const readsWithin = ({ reads, connectMs, answerMs, readIdleMs: idleMs }: S3Bounds): Bounded => ({
  maxAttempts: 3,
  requestHandler: handler(reads, { connectMs, answerMs, idleMs }),
});

/** What the client that does all else is made with. */
export const writesWithin = ({ writes, connectMs, partMs: answerMs, writeIdleMs: idleMs }: S3Bounds): Bounded => ({
  maxAttempts: 2,
  requestHandler: handler(writes, { connectMs, answerMs, idleMs }),
  // With `Expect` the client opens a connection outside these bounds for each part, and waits for what many services never say.
  expectContinueHeader: false,
});
