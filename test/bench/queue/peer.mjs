// BullMQ or pg-boss doing what a lane does with a message: reserve an id, send. No order is kept.
import { Pool } from 'undici';

const CONCURRENCY = 100;

let queue;

/** The work on one job. */
function sender(wahaPort) {
  const pool = new Pool(`http://127.0.0.1:${wahaPort}`, { connections: 100 });
  const call = async (method, path, body) => {
    const { body: answer } = await pool.request({
      ...{ method, path, body: body && JSON.stringify(body) },
      headers: { 'content-type': 'application/json', 'x-api-key': 'none' },
    });
    return answer.json();
  };
  return async ({ session, chatId, text }) => {
    const { id } = await call('GET', `/api/${session}/new-message-id`);
    await call('POST', '/api/sendText', { session, chatId, text, id });
  };
}

async function bullmq({ redisPort, wahaPort }) {
  const { Queue, Worker } = await import('bullmq');
  const connection = { host: '127.0.0.1', port: redisPort, maxRetriesPerRequest: null };
  const send = sender(wahaPort);
  const jobs = new Queue('messages', { connection });
  const options = { removeOnComplete: true };
  return {
    fill: (all) => jobs.addBulk(all.map((data) => ({ name: 'send', data, opts: options }))),
    add: (data) => jobs.add('send', data, options),
    run: () =>
      new Worker('messages', ({ data }) => send(data), { connection, concurrency: CONCURRENCY }).waitUntilReady(),
  };
}

async function pgboss({ databaseUrl, wahaPort }) {
  const { PgBoss } = await import('pg-boss');
  const boss = new PgBoss({ connectionString: databaseUrl, schema: 'peer', max: 10 });
  boss.on('error', () => undefined);
  await boss.start();
  await boss.createQueue('messages');
  const send = sender(wahaPort);
  return {
    fill: (all) =>
      boss.insert(
        'messages',
        all.map((data) => ({ data })),
      ),
    add: (data) => boss.send('messages', data),
    // A worker looks again half a second after each batch, at the least: ten of them, so that the pause is not what is measured.
    run: async () => {
      for (let nth = 0; nth < 10; nth += 1)
        await boss.work('messages', { batchSize: CONCURRENCY, pollingIntervalSeconds: 0.5 }, (jobs) =>
          Promise.all(jobs.map(({ data }) => send(data))),
        );
    },
  };
}

const STEPS = {
  start: async ({ kind, ...where }) => void (queue = await (kind === 'bullmq' ? bullmq : pgboss)(where)),
  fill: ({ jobs }) => queue.fill(jobs),
  add: ({ job }) => queue.add(job),
  run: () => queue.run(),
};

process.on('message', async ({ what, ...rest }) => {
  try {
    await STEPS[what](rest);
    process.send({ done: true });
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) });
  }
});
