import { Readable } from 'node:stream';
import fc from 'fast-check';
import { type FoundRecord, LONGEST_RECORD_BYTES, recordsOf } from './records';
import { isSoundCsv } from './rows';

const CSV = { quotes: true, sound: isSoundCsv };
const LINES = { quotes: false, sound: isSoundCsv };

async function read(text: string | Buffer, rule = CSV, cut = 7, from = { byte: 0, line: 0 }): Promise<FoundRecord[]> {
  const bytes = Buffer.from(text).subarray(from.byte);
  const chunks = Array.from({ length: Math.ceil(bytes.length / cut) }, (_, i) =>
    bytes.subarray(i * cut, (i + 1) * cut),
  );
  const found: FoundRecord[] = [];
  for await (const record of recordsOf(Readable.from(chunks), rule, from)) found.push(record);
  return found;
}

const told = (records: FoundRecord[]) =>
  records.map(({ line, bytes, fault }) => [line, fault === undefined ? bytes.toString() : 'fault']);

describe('recordsOf', () => {
  it('gives each line its number, whatever ends it, and passes over empty ones and the mark at the beginning', async () => {
    expect(told(await read('\uFEFFa\r\n\n  \nb\nc', LINES))).toEqual([
      [1, 'a'],
      [4, 'b'],
      [5, 'c'],
    ]);
    expect(await read('')).toEqual([]);
  });

  it('keeps a quoted cell of several lines together, also as the last one without an end', async () => {
    expect(told(await read('a,"x\ny ""q"" \r\nz"\nb\nc,"1\n2"'))).toEqual([
      [1, 'a,"x\ny ""q"" \r\nz"'],
      [4, 'b'],
      [5, 'c,"1\n2"'],
    ]);
  });

  it('gives up the line of a quote that is never closed, and no other', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => `id_${i},name ${i}`);
    const broken = rows.with(3, 'id_3,"broken').with(19_990, 'id_19990,"broken too');
    const found = await read(broken.join('\n'), CSV, 65_536);
    expect(found.map(({ line }) => line)).toEqual(rows.map((_, i) => i + 1));
    expect(found.filter(({ fault }) => fault).map(({ line }) => line)).toEqual([4, 19_991]);
  });

  it('gives up the line of a stray quote that another one seems to close', async () => {
    expect(told(await read('a\nb"x\nc\nd"y\ne'))).toEqual([
      [1, 'a'],
      [2, 'fault'],
      [3, 'c'],
      [4, 'fault'],
      [5, 'e'],
    ]);
  });

  it('passes over a line that is longer than any row, in constant memory, and tells where it is', async () => {
    const long = 'x'.repeat(3 * LONGEST_RECORD_BYTES);
    const found = await read(`a\n${long}\nb\n${long}`, LINES, 65_536);
    expect(told(found)).toEqual([
      [1, 'a'],
      [2, 'fault'],
      [3, 'b'],
      [4, 'fault'],
    ]);
    expect(Math.max(...found.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(LONGEST_RECORD_BYTES);
  });

  it('tells bytes that are no UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('a\n'), Buffer.from([0xff, 0x0a]), Buffer.from('b\n')]);
    expect(told(await read(bytes, LINES))).toEqual([
      [1, 'a'],
      [2, 'fault'],
      [3, 'b'],
    ]);
  });

  it('finds the same records however the file is cut, and from behind any of them', async () => {
    const piece = fc.constantFrom('a', ',', '"', '""', '\n', '\r\n', 'ä', '"x\ny"', ' ');
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 40 }), fc.integer({ min: 1, max: 9 }), async (pieces, cut) => {
        const text = pieces.join('');
        const whole = await read(text, CSV, 1_000);
        expect(await read(text, CSV, cut)).toEqual(whole);
        for (const [index, { next }] of whole.entries())
          expect(await read(text, CSV, cut, next)).toEqual(whole.slice(index + 1));
      }),
    );
  });
});
