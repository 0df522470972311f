import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP, isIPv4 } from 'node:net';

const TYPES: Record<number, 'A' | 'AAAA'> = { 1: 'A', 28: 'AAAA' };
const CNAME = 5;
const HEADER_BYTES = 12;
const NO_SUCH_NAME = 3;
/** Far longer than any test: whoever remembered an answer would be found out. */
const TTL_S = 3_600;

/** A name server of the test's own, over UDP on the loopback address. */
export class DnsServer {
  /**
   * What names stand for: addresses, after the canonical name where there is one. Each question of one type takes the next of the list, the
   * last one again and again. A name that is not here is unknown.
   */
  readonly names: Record<string, string[][]> = {};
  /** Type and name of each question, in order. */
  readonly asked: string[] = [];
  /** Names that nobody is told anything of. */
  readonly silent = new Set<string>();
  private readonly turns = new Map<string, number>();

  private constructor(private readonly socket: Socket) {
    socket.on('message', (message, from) => this.take(message, from));
  }

  static async start(): Promise<DnsServer> {
    const server = new DnsServer(createSocket('udp4'));
    server.socket.bind(0, '127.0.0.1');
    await once(server.socket, 'listening');
    return server;
  }

  /** As Node's resolver wants it. */
  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  async close(): Promise<void> {
    this.socket.close();
    await once(this.socket, 'close');
  }

  private take(message: Buffer, { port, address }: RemoteInfo): void {
    const { name, end } = nameIn(message);
    const type = TYPES[message.readUInt16BE(end)];
    const question = `${type} ${name}`;
    this.asked.push(question);
    if (type === undefined || this.silent.has(name)) return;
    const records = this.recordsOf(name, question, type);
    const header = Buffer.alloc(HEADER_BYTES);
    message.copy(header, 0, 0, 2); // its id
    header.writeUInt16BE(0x8180 | (records === null ? NO_SUCH_NAME : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records?.length ?? 0, 6);
    this.socket.send(
      Buffer.concat([header, message.subarray(HEADER_BYTES, end + 4), ...(records ?? [])]),
      port,
      address,
    );
  }

  private recordsOf(name: string, question: string, type: 'A' | 'AAAA'): Buffer[] | null {
    const answers = this.names[name];
    if (!answers) return null;
    const turn = this.turns.get(question) ?? 0;
    this.turns.set(question, turn + 1);
    const answer = answers[Math.min(turn, answers.length - 1)] ?? [];
    const canonical = answer.find((entry) => isIP(entry) === 0);
    const [owner, first] =
      canonical === undefined ? [name, []] : [canonical, [recordOf(name, CNAME, encoded(canonical))]];
    const wanted = answer.filter((entry) => isIP(entry) === (type === 'A' ? 4 : 6));
    return [...first, ...wanted.map((entry) => recordOf(owner, type === 'A' ? 1 : 28, bytesOf(entry)))];
  }
}

/** The name of the question, and where it ends. */
function nameIn(message: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let size = message.readUInt8(at); size > 0; size = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + size));
    at += size + 1;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

function recordOf(owner: string, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(TTL_S, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([encoded(owner), fixed, data]);
}

const encoded = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);

/** An IP address as records hold it. */
function bytesOf(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [, front = address, dotted] = /^(.*:)([\d.]+\.[\d.]+)$/.exec(address) ?? [];
  const last =
    dotted === undefined
      ? ''
      : bytesOf(dotted)
          .toString('hex')
          .replace(/(.{4})/, '$1:');
  const [head = [], tail = []] = (front + last).split('::').map((half) => half.split(':').filter(Boolean));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
