import { once } from 'node:events';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { freePort } from '../../src/embedded/postgres-server';

/** A server that speaks S3, with an empty bucket. */
export interface S3Server {
  /** What a client is configured with. */
  settings: { endpoint: string; region: string; bucket: string; accessKeyId: string; secretAccessKey: string };
  /** How many uploads in parts were begun and neither completed nor given up. */
  unfinished(): Promise<number>;
  /** Makes those older, as if they had been begun at that time. */
  backdate(begun: Date): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts one. The caller closes it. */
export async function startS3(bucket = 'files'): Promise<S3Server> {
  const port = await freePort();
  const worker = new Worker(path.join(__dirname, 's3-server.mjs'), { workerData: { port, bucket } });
  const answer = async <T>(): Promise<T> => {
    const [{ result }] = (await once(worker, 'message')) as [{ result: T }];
    return result;
  };
  const ask = <T>(order: string, value?: Date): Promise<T> => {
    worker.postMessage({ order, value });
    return answer<T>();
  };
  await answer();
  return {
    settings: {
      ...{ endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', bucket },
      // The only pair that this server knows.
      ...{ accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    },
    unfinished: () => ask<number>('unfinished'),
    backdate: (begun) => ask('backdate', begun),
    close: async () => {
      const ended = once(worker, 'exit');
      await ask('close');
      await worker.terminate();
      await ended;
    },
  };
}
