import { Readable } from 'node:stream';
import fc from 'fast-check';
import type { AppError } from '../../common/app-error';
import { type Recipient, recipientsOfLines, recipientsOfList, recipientsOfTable } from './recipients';

type Reader = (stream: Readable) => AsyncGenerator<Recipient>;

/** The bytes in pieces of these lengths, in turn: also through the middle of a character. */
function* pieces(bytes: Buffer, lengths: number[]): Generator<Buffer> {
  for (let from = 0, nth = 0; from < bytes.length; nth += 1) {
    const length = lengths[nth % lengths.length] ?? bytes.length;
    yield bytes.subarray(from, from + length);
    from += length;
  }
}

async function readBy(reader: Reader, bytes: Buffer, lengths: number[]): Promise<Recipient[]> {
  const all: Recipient[] = [];
  for await (const each of reader(Readable.from(pieces(bytes, lengths)))) all.push(each);
  return all;
}

const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const variables = fc.dictionary(text, fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true })), {
  maxKeys: 4,
});
const good = fc.record({ to: text, variables }, { requiredKeys: ['to'] });
const entries = fc.array(fc.oneof({ weight: 3, arbitrary: good }, fc.jsonValue()), { maxLength: 12 });
const asJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('recipients of a list', () => {
  it('are one for each entry, in order, and each either has a fault or all that a message needs', () => {
    fc.assert(
      fc.property(entries, (list) => {
        const all = [...recipientsOfList(list)];
        expect(all.map(({ index }) => index)).toEqual(list.map((_entry, index) => index));
        for (const { to, variables: given, fault } of all) {
          expect(to.length).toBeLessThanOrEqual(128);
          expect(to.isWellFormed() || fault !== undefined).toBe(true);
          for (const value of Object.values(given))
            expect(typeof value === 'string' || Number.isFinite(value)).toBe(true);
        }
      }),
    );
  });

  it('have no fault where the entry has none, and keep what it says', () => {
    fc.assert(
      fc.property(fc.array(good), (list) => {
        fc.pre(!JSON.stringify(list).includes('\\u0000'));
        const told = list.map(({ to, variables: given = {} }, index) => ({ index, to, variables: given }));
        expect([...recipientsOfList(list)]).toEqual(told);
      }),
    );
  });
});

describe('recipients of lines', () => {
  it('are those of the list that the lines say, however the bytes come', async () => {
    const ends = fc.array(fc.constantFrom('\n', '\r\n', '\n\n', '\n  \r\n'), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(entries, ends, lengths, async (list, lineEnds, chunks) => {
        const lines = list.map((entry, nth) => JSON.stringify(entry) + lineEnds[nth % lineEnds.length]).join('');
        expect(await readBy(recipientsOfLines, Buffer.from(lines), chunks)).toEqual([
          ...recipientsOfList(asJson(list)),
        ]);
      }),
    );
  });
});

describe('numbers of recipients', () => {
  it('are what was written, or the fault of their line', async () => {
    const lines = ['0.1', '9007199254740993', '1e-400'].map(
      (number) => `{"to":"1","variables":{"order": ${number}}}\n`,
    );
    const read = await readBy(recipientsOfLines, Buffer.from(lines.join('')), [7]);
    expect(read.map(({ variables: given }) => given)).toEqual([{ order: 0.1 }, {}, {}]);
    const rounded = /: variables\.order must not be a number that would be rounded; /;
    expect(read.map(({ fault }) => fault && rounded.test(fault))).toEqual([undefined, true, true]);
  });
});

describe('recipients of a table', () => {
  const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
  const names = fc
    .uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), {
      selector: (name) => name.trim(),
      maxLength: 4,
    })
    .filter((all) => all.every((name) => !['', 'to', '__proto__'].includes(name.trim()) && !name.includes('\0')));

  it('are one for each row, with its other cells as variables, however the bytes come', async () => {
    const tables = names.chain((columns) =>
      fc.record({
        columns: fc.constant(columns),
        rows: fc.array(fc.array(text, { minLength: columns.length + 1, maxLength: columns.length + 1 })),
      }),
    );
    await fc.assert(
      fc.asyncProperty(tables, fc.constantFrom('\n', '\r\n'), lengths, async ({ columns, rows }, end, chunks) => {
        fc.pre(!JSON.stringify(rows).includes('\\u0000'));
        const table = [['to', ...columns], ...rows].map((row) => row.map(quoted).join(',') + end).join('');
        const told = rows.map(([to = '', ...cells], index) => ({
          index,
          to: to.trim(),
          variables: Object.fromEntries(columns.map((name, nth) => [name.trim(), cells[nth]])),
        }));
        expect(await readBy(recipientsOfTable, Buffer.from(table), chunks)).toEqual(told);
      }),
    );
  });
});

describe('any bytes', () => {
  it.each([
    ['lines', recipientsOfLines],
    ['a table', recipientsOfTable],
  ])('read as %s are recipients or refused, and nothing else', async (_what, reader) => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
      fc
        .array(fc.constantFrom('to', ',', '"', '\n', '\r', '{', '}', ':', '\\', '👍', '\0', 'x'), { maxLength: 40 })
        .map((parts) => Buffer.from(parts.join(''))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.boolean(), lengths, async (body, headed, chunks) => {
        const whole = headed ? Buffer.concat([Buffer.from('to,name\n'), body]) : body;
        const all = await readBy(reader, whole, chunks).catch((error: AppError) => error.code);
        if (typeof all === 'string') return expect(all).toBe('VALIDATION_FAILED');
        expect(all?.map(({ index }) => index)).toEqual(all?.map((_each, index) => index));
      }),
    );
  });
});
