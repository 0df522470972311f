import fc from 'fast-check';
import { isPlainFileName, MAX_FILE_NAME_CHARACTERS, shownFileName } from './file-name';

const shown = (name: string) => shownFileName(name, 'file.bin');

describe('shownFileName', () => {
  it.each([
    ['report.pdf', 'report.pdf'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\ada\\photo.png', 'photo.png'],
    ['a\r\nSet-Cookie: x.txt', 'aSet-Cookie: x.txt'],
    ['invoice\u202Egpj.exe', 'invoicegpj.exe'],
    ['nul\0l.txt', 'null.txt'],
    ['  größe.txt ', 'größe.txt'],
    ['gro\u0308\u00dfe.txt', 'größe.txt'],
    ['👩‍👩‍👧.png', '👩‍👩‍👧.png'],
    ['', 'file.bin'],
    ['..', 'file.bin'],
    ['folder/', 'file.bin'],
    ['\u200b\u202e', 'file.bin'],
    ['a\ud800b.txt', 'a\ufffdb.txt'],
  ])('makes of %j %j', (given, expected) => expect(shown(given)).toBe(expected));

  it('cuts what is too long, and keeps its ending', () => {
    const name = shown(`${'ä'.repeat(300)}.jpeg`);
    expect([[...name].length, name.endsWith('ä.jpeg')]).toEqual([MAX_FILE_NAME_CHARACTERS, true]);
    expect([...shown(`a.${'b'.repeat(300)}`)]).toHaveLength(MAX_FILE_NAME_CHARACTERS);
  });

  it('is a plain name whatever was given, and the same when it is made again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (given) => {
        const name = shown(given);
        expect(isPlainFileName(name)).toBe(true);
        expect([...name].length).toBeLessThanOrEqual(MAX_FILE_NAME_CHARACTERS);
        expect(name.isWellFormed()).toBe(true);
      }),
    );
  });
});

it.each(['a/b', 'a\\b', '..', '.', 'a\nb', 'a\u202eb'])('%j is no plain name', (name) =>
  expect(isPlainFileName(name)).toBe(false),
);
