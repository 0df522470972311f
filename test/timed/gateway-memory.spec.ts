import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { KEY, type Listening, Rig, serveHttp } from '../e2e/gateway-front.harness';

const MIB = 1024 * 1024;
const BODY_BYTES = 100 * MIB;
const LOOK_EVERY_BYTES = 4 * MIB;
/** Client, gateway and upstream are in this process: each holds some chunks, and the sockets between them some more. */
const GROWTH_BYTES_MAX = 48 * MIB;
/** A body of four times the size needs no more than that of chunks by chance. */
const DIFFERENCE_BYTES_MAX = 32 * MIB;

const mib = (bytes: number): string => (bytes / MIB).toFixed(1);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What buffers hold when nothing is under way: sockets and streams let go of theirs some rounds after the last byte. */
async function heldAtRest(): Promise<number> {
  let leastBytes = Infinity;
  for (let n = 0; n < 10; n += 1) {
    await sleep(20);
    collect();
    leastBytes = Math.min(leastBytes, process.memoryUsage().arrayBuffers);
  }
  return leastBytes;
}

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

  /** What buffers hold at most, garbage aside, while a body of so many bytes goes up and comes back. */
  const peakWhile = async (sizeBytes: number): Promise<{ peakBytes: number; echoedBytes: number }> => {
    const part = Buffer.alloc(64 * 1024, 'x');
    let peakBytes = 0;
    const look = (): void => {
      collect();
      peakBytes = Math.max(peakBytes, process.memoryUsage().arrayBuffers);
    };
    function* parts(): Generator<Buffer> {
      for (let sent = 0; sent < sizeBytes; sent += part.length) {
        if (sent % LOOK_EVERY_BYTES === 0) look();
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
    await peakWhile(BODY_BYTES / 4);
    const before = await heldAtRest();
    const quarter = await peakWhile(BODY_BYTES / 4);
    const whole = await peakWhile(BODY_BYTES);
    expect(whole.echoedBytes).toBe(BODY_BYTES);
    const [growthOfQuarter, growth] = [quarter.peakBytes - before, whole.peakBytes - before];
    console.log(`up and down: ${mib(growthOfQuarter)} MiB of buffers for 25 MiB, ${mib(growth)} MiB for 100 MiB`);
    expect(growth).toBeLessThan(GROWTH_BYTES_MAX);
    expect(growth - growthOfQuarter).toBeLessThan(DIFFERENCE_BYTES_MAX);
  });
});
