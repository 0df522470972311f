import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../../test/support/wait';
import { LineBuffer, type LineSink } from './line-buffer';

/** What was handed on, piece by piece; a flush is a piece of its own. */
class Pieces implements LineSink {
  readonly all: string[] = [];
  write = (text: string): void => void this.all.push(text);
  flushSync = (): void => void this.all.push('flushed');
}

const LONG_MS = 60_000;

describe('LineBuffer', () => {
  it('hands lines on together once there is enough of them, in their order', () => {
    const pieces = new Pieces();
    const buffer = new LineBuffer(pieces, { characters: 10, holdMs: LONG_MS });
    for (const line of ['one\n', 'two\n', 'three\n', 'four\n']) buffer.write(line);
    expect(pieces.all).toEqual(['one\ntwo\nthree\n']);
    buffer.flushSync();
    expect(pieces.all).toEqual(['one\ntwo\nthree\n', 'four\n', 'flushed']);
  });

  it('hands on what is there after its time, once', async () => {
    const pieces = new Pieces();
    const buffer = new LineBuffer(pieces, { characters: 1_000, holdMs: 20 });
    buffer.write('one\n');
    buffer.write('two\n');
    await eventually(() => pieces.all.length > 0, { what: 'the lines to be handed on' });
    await pause(60);
    expect(pieces.all).toEqual(['one\ntwo\n']);
  });

  it('writes one long line at once', () => {
    const pieces = new Pieces();
    new LineBuffer(pieces, { characters: 10, holdMs: LONG_MS }).write(`${'x'.repeat(50)}\n`);
    expect(pieces.all).toEqual([`${'x'.repeat(50)}\n`]);
  });
});
