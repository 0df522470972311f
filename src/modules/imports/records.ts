import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';

/** A row of a file before anybody reads what it says. */
export interface RawRecord {
  /** Where it begins: lines are counted from 1, as an editor does. */
  line: number;
  /** Without the end of its line. */
  bytes: Buffer;
  /** What is wrong with it as a whole; absent where nothing is. */
  fault?: string;
}

/** A place between two records: the next byte of the file, and how many lines stand before it. */
export interface Place {
  byte: number;
  line: number;
}

/** How records end: at the end of a line, or, where cells may be quoted, at the first end of a line outside of quotes. */
export interface RecordRule {
  quotes: boolean;
  /** Whether a record of several lines is sound; where it is not, only its first line is given up. */
  sound: (bytes: Buffer) => boolean;
}

/** A record, and where the next one begins. */
export interface FoundRecord extends RawRecord {
  next: Place;
}

/** Of one row, whatever is in it. */
export const LONGEST_RECORD_BYTES = 256 * 1024;

const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 34;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

const TOO_LONG = `is longer than ${LONGEST_RECORD_BYTES} bytes, or a quote in it is not closed`;
const MALFORMED = 'is malformed: a quote in it stands where none may, or is not closed';

/**
 * The records of a file from that place on, in constant memory; empty lines are none. A record that is broken costs its own
 * line and no other: what follows is read as if it were not there.
 */
export async function* recordsOf(stream: Readable, rule: RecordRule, from: Place): AsyncGenerator<FoundRecord> {
  const splitter = new Splitter(rule, from);
  for await (const chunk of stream as AsyncIterable<Buffer>) yield* splitter.take(chunk);
  yield* splitter.end();
}

class Splitter {
  private rest: Buffer = Buffer.alloc(0);
  private byte: number;
  private line: number;
  /** Inside a line that is too long, of which nothing is kept. */
  private skipping = false;

  constructor(
    private readonly rule: RecordRule,
    from: Place,
  ) {
    this.byte = from.byte;
    this.line = from.line;
  }

  *take(chunk: Buffer): Generator<FoundRecord> {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    for (;;) {
      const end = this.endOfRecord();
      if (end !== null) yield* this.cut(end);
      else if (this.rest.length > LONGEST_RECORD_BYTES) yield* this.giveUpLine(TOO_LONG);
      else return;
    }
  }

  *end(): Generator<FoundRecord> {
    if (this.rest.length > 0 && this.rest.at(-1) !== NEWLINE)
      this.rest = Buffer.concat([this.rest, Buffer.from([NEWLINE])]);
    while (this.rest.length > 0) {
      const end = this.endOfRecord();
      yield* end === null ? this.giveUpLine(MALFORMED) : this.cut(end);
    }
    if (this.skipping) yield this.found(this.line + 1, Buffer.alloc(0), TOO_LONG);
  }

  /** Where the first record of the rest ends, its newline included; null while that cannot be told. */
  private endOfRecord(): number | null {
    let open = false;
    for (let from = 0; ;) {
      const newline = this.rest.indexOf(NEWLINE, from);
      if (newline === -1) return null;
      if (this.rule.quotes && !this.skipping) open = open !== oddQuotes(this.rest.subarray(from, newline));
      if (!open) return newline + 1;
      from = newline + 1;
    }
  }

  private *cut(end: number): Generator<FoundRecord> {
    if (this.skipping) {
      this.skipping = false;
      this.advance(end, 1);
      yield this.found(this.line, Buffer.alloc(0), TOO_LONG);
      return;
    }
    const bytes = contentOf(this.rest.subarray(0, end), this.byte === 0);
    const lines = newlinesIn(this.rest.subarray(0, end));
    if (lines > 1 && !(end <= LONGEST_RECORD_BYTES && this.rule.sound(bytes))) {
      yield* this.giveUpLine(MALFORMED);
      return;
    }
    const line = this.line + 1;
    this.advance(end, lines);
    if (bytes.length > 0) yield this.found(line, bytes, faultOf(bytes));
  }

  /** Gives up the first line alone: what stands in the next ones may well be sound. */
  private *giveUpLine(fault: string): Generator<FoundRecord> {
    const newline = this.rest.indexOf(NEWLINE);
    if (newline === -1) {
      this.skipping = true;
      this.advance(this.rest.length, 0);
      return;
    }
    const bytes = contentOf(this.rest.subarray(0, newline + 1), this.byte === 0);
    this.advance(newline + 1, 1);
    yield this.found(this.line, bytes, fault);
  }

  private advance(bytes: number, lines: number): void {
    this.rest = this.rest.subarray(bytes);
    this.byte += bytes;
    this.line += lines;
  }

  private found(line: number, bytes: Buffer, fault: string | undefined): FoundRecord {
    const next = { byte: this.byte, line: this.line };
    return fault === undefined ? { line, bytes, next } : { line, bytes, next, fault };
  }
}

function faultOf(bytes: Buffer): string | undefined {
  if (bytes.length > LONGEST_RECORD_BYTES) return TOO_LONG;
  return isUtf8(bytes) ? undefined : 'is not valid UTF-8';
}

/** Without the end of the line and the mark at the beginning of the file; nothing where only blanks are left. */
function contentOf(bytes: Buffer, first: boolean): Buffer {
  let end = bytes.length;
  if (bytes[end - 1] === NEWLINE) end -= 1;
  if (bytes[end - 1] === RETURN) end -= 1;
  const start = first && bytes.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
  const content = bytes.subarray(start, end);
  return content.length < 64 && content.toString('latin1').trim() === '' ? Buffer.alloc(0) : content;
}

const oddQuotes = (bytes: Buffer): boolean => countOf(bytes, QUOTE) % 2 === 1;
const newlinesIn = (bytes: Buffer): number => countOf(bytes, NEWLINE);

function countOf(bytes: Buffer, byte: number): number {
  let count = 0;
  for (let at = bytes.indexOf(byte); at !== -1; at = bytes.indexOf(byte, at + 1)) count += 1;
  return count;
}
