import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { KEY, type Listening, Rig, serveHttp } from './gateway-front.harness';

const MIB = 1024 * 1024;
const BODY_BYTES = 100 * MIB;
/** Client, gateway and upstream are in this process; each may hold some chunks and the collector some more. */
const GROWTH_BYTES_MAX = 48 * MIB;

describe('bodies of 100 MiB', () => {
  let upstream: Listening;
  let rig: Rig;

  beforeAll(async () => {
    upstream = await serveHttp((incoming, response) => void incoming.pipe(response));
    rig = await new Rig([upstream.url]).open();
  });

  afterAll(async () => {
    await rig.close();
    await upstream.close();
  });

  /** What buffers hold at most while a body of so many bytes goes up and comes back. */
  const peakWhile = async (sizeBytes: number): Promise<{ peakBytes: number; echoedBytes: number }> => {
    const part = Buffer.alloc(64 * 1024, 'x');
    let peakBytes = 0;
    const look = (): void => {
      peakBytes = Math.max(peakBytes, process.memoryUsage().arrayBuffers);
    };
    function* parts(): Generator<Buffer> {
      for (let sent = 0; sent < sizeBytes; sent += part.length) {
        if (sent % MIB === 0) look();
        yield part;
      }
    }
    const call = request({ port: rig.port, method: 'POST', headers: { 'x-api-key': KEY } });
    const answered = once(call, 'response') as Promise<[IncomingMessage]>;
    const sending = pipeline(Readable.from(parts()), call);
    const [message] = await answered;
    let echoedBytes = 0;
    for await (const chunk of message as AsyncIterable<Buffer>) echoedBytes += chunk.length;
    await sending;
    return { peakBytes, echoedBytes };
  };

  it('go up and down at once without being held', async () => {
    await peakWhile(20 * MIB);
    const before = process.memoryUsage().arrayBuffers;
    const { peakBytes, echoedBytes } = await peakWhile(BODY_BYTES);
    expect(echoedBytes).toBe(BODY_BYTES);
    expect(peakBytes - before).toBeLessThan(GROWTH_BYTES_MAX);
  });
});
