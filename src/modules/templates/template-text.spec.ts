import type { AppError, ErrorDetail } from '../../common/app-error';
import { MAX_TEXT_CHARACTERS } from '../../common/message-text';
import {
  MAX_VALUE_CHARACTERS,
  MAX_VARIABLES,
  parseTemplate,
  renderTemplate,
  type VariableValues,
} from './template-text';

const fill = (text: string, values: VariableValues = {}): string => renderTemplate(parseTemplate(text), values);

/** What is said of the refusal; none where it is not refused. */
const faultsOf = (work: () => unknown): ErrorDetail[] => {
  try {
    work();
    return [];
  } catch (error) {
    expect((error as AppError).code).toBe('VALIDATION_FAILED');
    return (error as AppError).details ?? [];
  }
};

describe('parseTemplate', () => {
  it('names each variable once, in the order in which they first occur', () => {
    expect(parseTemplate('{{b}} {{ a }}{{b}}\t{{\t_1\t}}').variables).toEqual(['b', 'a', '_1']);
    expect(parseTemplate('none } { }} here').variables).toEqual([]);
  });

  it.each([
    ['{{', 1],
    ['Hi {{', 4],
    ['{{}}', 1],
    ['{{ }}', 1],
    ['{{a b}}', 1],
    ['{{a}', 1],
    ['{{1a}}', 1],
    ['{{a-b}}', 1],
    ['{{ä}}', 1],
    ['{{a\n}}', 1],
    ['{{{a}}}', 1],
    [`{{${'a'.repeat(65)}}}`, 1],
    ['{{ok}} 👍 {{no no}}', 10],
    ['{{a{{b}}}}', 1],
  ])('refuses %j and says where: character %i', (text, position) => {
    const [fault] = faultsOf(() => parseTemplate(text));
    expect(fault?.field).toBe('text');
    expect(fault?.message).toContain(`at character ${position}:`);
  });

  it('takes names of 64 characters, and a hundred of them', () => {
    const long = 'a'.repeat(64);
    expect(parseTemplate(`{{${long}}}`).variables).toEqual([long]);
    const many = (count: number) => Array.from({ length: count }, (_, i) => `{{v${i}}}`).join('');
    expect(parseTemplate(many(MAX_VARIABLES) + many(MAX_VARIABLES)).variables).toHaveLength(MAX_VARIABLES);
    expect(faultsOf(() => parseTemplate(many(MAX_VARIABLES + 1)))[0]?.message).toContain('at most 100');
  });

  it('takes time that grows with the text, whatever it is made of', () => {
    for (const evil of ['{', '{{ ', '{{a}}', '}', '{{' + ' '.repeat(60)]) {
      const text = evil.repeat(MAX_TEXT_CHARACTERS / evil.length);
      const startedAt = performance.now();
      faultsOf(() => parseTemplate(text));
      expect(performance.now() - startedAt).toBeLessThan(1_000);
    }
  });
});

describe('renderTemplate', () => {
  it('puts texts and numbers in their places, and leaves aside what is not asked for', () => {
    const values = { name: 'Ada', total: 12.5, count: 0, unused: 'x', 'Column 3': 'y' };
    expect(fill('{{name}}: {{ total }} of {{count}}, {{name}}!', values)).toBe('Ada: 12.5 of 0, Ada!');
    expect(fill('as it is', values)).toBe('as it is');
    expect(fill('[{{name}}]', { name: '' })).toBe('[]');
  });

  it.each(['{{x}}', '{{', '$&', '$1', '\\', '}}', '{{name}}'])('keeps the value %j as it is', (value) => {
    expect(fill('a {{name}} b {{x}}', { name: value, x: 'X' })).toBe(`a ${value} b X`);
  });

  it('names every variable without a value, those named like members of every object too', () => {
    const faults = faultsOf(() => fill('{{a}} {{toString}} {{b}} {{constructor}} {{__proto__}}', { b: 'given' }));
    const names = ['a', 'toString', 'constructor', '__proto__'];
    expect(faults.map(({ field }) => field)).toEqual(names.map((name) => `variables.${name}`));
    expect(faults[0]?.message).toContain('is required');
  });

  it('refuses a value that is none', () => {
    const bad = {
      a: 'x'.repeat(MAX_VALUE_CHARACTERS + 1),
      b: Number.NaN,
      c: null,
      d: ['x'],
    } as unknown as VariableValues;
    const faults = faultsOf(() => fill('{{a}}{{b}}{{c}}{{d}}', bad));
    expect(faults.map(({ field }) => field)).toEqual(['a', 'b', 'c', 'd'].map((name) => `variables.${name}`));
    expect(fill('{{a}}', { a: '👍'.repeat(MAX_VALUE_CHARACTERS) })).toHaveLength(2 * MAX_VALUE_CHARACTERS);
  });

  it('refuses what cannot be sent: a blank text, and one that is too long', () => {
    expect(faultsOf(() => fill('{{a}} {{a}}', { a: ' ' }))).toEqual([
      { field: 'variables', message: expect.stringContaining('blank') },
    ]);
    expect(faultsOf(() => fill('{{a}}', { a: '' }))[0]?.message).toContain('1 to 65536');
    const longest = '{{a}}'.repeat(65) + 'x'.repeat(536);
    expect(fill(longest, { a: '❤️'.repeat(1_000) })).toHaveLength(65 * 2_000 + 536);
    expect(faultsOf(() => fill(`${longest}y`, { a: '❤️'.repeat(1_000) }))[0]?.field).toBe('variables');
    const endless = parseTemplate('{{a}}'.repeat(13_000));
    expect(faultsOf(() => renderTemplate(endless, { a: '👍️'.repeat(1_000) }))[0]?.field).toBe('variables');
  });

  it('gives back, of any pieces, exactly these: values and text are never mistaken for each other', () => {
    const random = seeded(20261124);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    const fragments = ['x', ' ', '{', '}', '}}', '$&', '👍', '\n', 'ä', '{{a}}', '{{ b }}', '{{'];
    const some = (from: readonly string[]): string =>
      Array.from({ length: 1 + Math.floor(random() * 5) }, () => pick(from)).join('');
    const names = ['a', 'b', '_c', 'D9', 'toString', 'constructor'];
    for (let round = 0; round < 2_000; round++) {
      const values = Object.fromEntries(names.map((name) => [name, random() < 0.2 ? random() * 100 : some(fragments)]));
      const plain = () => `<${some(fragments).replaceAll('{', '(')}>`;
      const parts = Array.from({ length: 1 + Math.floor(random() * 8) }, () =>
        random() < 0.5 ? { text: plain() } : { name: pick(names), blank: pick(['', ' ', '\t ']) },
      );
      const template = parts.map((part) => part.text ?? `{{${part.blank}${part.name}${part.blank}}}`).join('');
      const expected = parts.map((part) => part.text ?? String(values[part.name])).join('');
      if (!/\S/.test(expected)) continue;
      expect(fill(template, values)).toBe(expected);
      const used = [...new Set(parts.flatMap((part) => part.name ?? []))];
      expect(parseTemplate(template).variables).toEqual(used);
      expect(faultsOf(() => fill(template)).map(({ field }) => field)).toEqual(used.map((name) => `variables.${name}`));
    }
  });
});

/** Numbers of [0, 1) that are the same in each run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
