import multipart from '@fastify/multipart';
import Fastify, { type FastifyInstance } from 'fastify';
import { registerMultipart } from './multipart';

/** What the plugin gives to requests where nobody keeps it from that. */
async function decoratorsOfPlugin(): Promise<string[]> {
  const names: string[] = [];
  const fastify = Fastify();
  const watched = Object.create(fastify, {
    decorateRequest: { value: (name: unknown) => (typeof name === 'string' ? names.push(name) : 0) },
  }) as FastifyInstance;
  await new Promise((resolve) => void multipart(watched, {}, resolve));
  await fastify.close();
  return names;
}

describe('requests with forms', () => {
  it('have nothing of the parser but the stream of their parts', async () => {
    const fastify = Fastify();
    await registerMultipart(fastify);
    const given = await decoratorsOfPlugin();
    expect(given).toEqual(
      expect.arrayContaining(['saveRequestFiles', 'cleanRequestFiles', 'file', 'files', 'formData']),
    );
    expect(given.filter((name) => fastify.hasRequestDecorator(name)).sort()).toEqual(['isMultipart', 'parts']);
    await fastify.close();
  });

  it('cannot be saved by a handler, past all bounds', async () => {
    const fastify = Fastify();
    await registerMultipart(fastify);
    fastify.post('/', { config: { multipartBody: true } as object }, (request) => ({
      saves: 'saveRequestFiles' in request,
      isForm: request.isMultipart(),
    }));
    const answer = await fastify.inject({
      method: 'POST',
      url: '/',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      payload: '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\na\r\n--x--\r\n',
    });
    expect(answer.json()).toEqual({ saves: false, isForm: true });
    await fastify.close();
  });
});
