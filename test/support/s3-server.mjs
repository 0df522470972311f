// A server that speaks S3, in a thread of its own: what it holds in memory is not the service's.
import { mkdtemp, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import S3rver from 's3rver';

const { port, bucket } = workerData;
const directory = await mkdtemp(path.join(tmpdir(), 's3-'));
const server = new S3rver({
  ...{ port, address: '127.0.0.1', directory, silent: true },
  configureBuckets: [{ name: bucket }],
});
const uploads = server.store.getResourcePath(bucket, undefined, 'uploads');
const begun = () => readdir(uploads).catch(() => []);

const listed = async () =>
  Promise.all(
    (await begun()).map(async (id) => {
      const key = await readFile(path.join(uploads, id, 'key'), 'utf8');
      const { mtime } = await stat(path.join(uploads, id));
      return `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${mtime.toISOString()}</Initiated></Upload>`;
    }),
  );

// The two operations that this server lacks: AbortMultipartUpload and ListMultipartUploads.
server.middleware.unshift(async (context, next) => {
  const { method, query } = context;
  if (method === 'DELETE' && query.uploadId !== undefined) {
    await rm(path.join(uploads, path.basename(query.uploadId)), { recursive: true, force: true });
    context.status = 204;
  } else if (method === 'GET' && 'uploads' in query) {
    context.type = 'application/xml';
    context.body = `<ListMultipartUploadsResult>${(await listed()).join('')}</ListMultipartUploadsResult>`;
  } else await next();
});

const ORDERS = {
  unfinished: async () => (await begun()).length,
  backdate: async (at) => {
    for (const id of await begun()) await utimes(path.join(uploads, id), at, at);
  },
  close: async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  },
};
parentPort.on('message', async ({ order, value }) => {
  parentPort.postMessage({ result: await ORDERS[order](value) });
  if (order === 'close') parentPort.close();
});
await server.run();
parentPort.postMessage({ result: 'listening' });
