// What files are measured against: bare Fastify that streams a body to the disk, flushes it, and streams it back. No form, no
// authentication, no digest, no database. Started by the bench with an IPC channel; the port goes back.
import { createReadStream, createWriteStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import Fastify from 'fastify';
import { v7 } from 'uuid';

process.once('message', async ({ folder }) => {
  const app = Fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  app.post('/files', async (request, reply) => {
    const id = v7();
    await pipeline(request.body, createWriteStream(path.join(folder, id), { flush: true }));
    reply.code(201);
    return { id };
  });
  app.get('/files/:id', (request, reply) =>
    reply.type('application/octet-stream').send(createReadStream(path.join(folder, request.params.id))),
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  process.send({ port: app.server.address().port });
});
process.once('disconnect', () => process.exit());
