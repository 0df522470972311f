import fc from 'fast-check';
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
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), values, (parts, given) => {
        const template = parts.map((each) => each.text ?? `{{${each.blank}${each.name}${each.blank}}}`).join('');
        const expected = parts.map((each) => each.text ?? String(given[each.name])).join('');
        fc.pre(/\S/.test(expected));
        expect(fill(template, given)).toBe(expected);
        const used = [...new Set(parts.flatMap((each) => each.name ?? []))];
        expect(parseTemplate(template).variables).toEqual(used);
        expect(faultsOf(() => fill(template)).map(({ field }) => field)).toEqual(
          used.map((name) => `variables.${name}`),
        );
      }),
    );
  });
});

describe('any text', () => {
  it('is taken apart so that nothing of it is lost, or refused with a position within it', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fragment).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(anything, (text) => {
        const faults = faultsOf(() => parseTemplate(text));
        if (faults.length === 0) {
          const whole = parseTemplate(text).pieces.map((piece) =>
            typeof piece === 'string' ? piece : `{{${piece.variable}}}`,
          );
          expect(whole.join('')).toBe(text.replace(/\{\{[ \t]*(\w+)[ \t]*\}\}/g, '{{$1}}'));
          return;
        }
        const position = Number(/at character (\d+):/.exec(faults[0]?.message ?? '')?.[1]);
        const [characters, begin] = [[...text], position - 1];
        expect(characters.slice(begin, begin + 2)).toEqual(['{', '{']);
        expect(faultsOf(() => parseTemplate(characters.slice(0, begin).join('')))).toEqual([]);
      }),
    );
  });
});

const fragment = fc.constantFrom('x', ' ', '{', '}', '}}', '$&', '👍', '\n', 'ä', '{{a}}', '{{ b }}', '{{');
const some = fc.array(fragment, { maxLength: 5 }).map((all) => all.join(''));
const NAMES = ['a', 'b', '_c', 'D9', 'toString', 'constructor'] as const;
const value = fc.oneof(some, fc.double({ noNaN: true, noDefaultInfinity: true }));
const values: fc.Arbitrary<VariableValues> = fc
  .tuple(...NAMES.map(() => value))
  .map((all) => Object.fromEntries(all.map((each, i) => [NAMES[i] ?? '', each])));
/** A piece of a template: plain text, in which no variable begins, or a variable. */
const part = fc.oneof(
  some.map((all) => ({ text: `<${all.replaceAll('{', '(')}>`, name: undefined, blank: '' })),
  fc.record({
    text: fc.constant(undefined),
    name: fc.constantFrom(...NAMES),
    blank: fc.constantFrom('', ' ', '\t '),
  }),
);
