import { RE2JS, RE2JSException } from 're2js';

/** The longest regular expression of a route. */
export const MAX_PATTERN_CHARACTERS = 256;
/** The largest count: `x{50}` is fifty times the work of `x`. */
const MAX_COUNT = 50;
const COUNTS = /\{(\d+)(?:,(\d*))?\}/g;
/** One that never has to try more than one way costs the same whatever its size. */
const ONE_PASS_WORK = 2;

/**
 * Work that one character of a path may make in all regular expressions that may have to look at it. An instruction takes some
 * 20 ns, and the one that matches may run twice (for its groups): a path of 2,048 characters holds nobody up for 20 ms.
 */
export const MAX_WORK = 250;

/** A `^` in front says nothing where all is anchored, and would hide what follows it. */
const ANCHORED = /^(?:\^|\\A)/;

/** What an expression takes of memory, measured: by itself, and for each instruction beside the characters that it lists. */
const PATTERN_BYTES = 4_000;
const INSTRUCTION_BYTES = 250;

/** Of the engine, which says no more of it. */
interface Program {
  inst: readonly { runes: ArrayLike<number>; next: ArrayLike<number> | null }[];
}

/** Why a regular expression is refused, in words for its author. */
export class PatternError extends Error {}

/**
 * The regular expression of a route, over the whole path. It runs in time that grows with the length of the path alone
 * (RE2's automata, no backtracking), whatever the pattern.
 */
export class RoutePattern {
  /** What every path that matches begins with. */
  readonly literal: string;
  /** How many groups it has. */
  readonly groups: number;
  /** The most work that one character of a path can make, in instructions of the automaton. */
  readonly work: number;
  /** About what it takes of memory, compiled. */
  readonly sizeBytes: number;
  private readonly whole: RE2JS;

  /** @throws PatternError for what is malformed, too long, counts too far, looks around or refers back */
  constructor(text: string) {
    if (text.length > MAX_PATTERN_CHARACTERS)
      throw new PatternError(`must be at most ${MAX_PATTERN_CHARACTERS} characters long`);
    if (!/^[\x20-\x7e]+$/.test(text)) throw new PatternError('must be of printable ASCII, as paths are');
    for (const [, least, most] of text.matchAll(COUNTS))
      if (Math.max(Number(least), Number(most ?? 0)) > MAX_COUNT)
        throw new PatternError(`must not count further than ${MAX_COUNT}`);
    const plain = compiled(text);
    // Anchored in the pattern itself: only so can the compiler see that there is but one way through it.
    this.whole = compiled(`\\A(?:${text})\\z`);
    this.literal = ANCHORED.test(text) ? literalOf(text.replace(ANCHORED, '')) : prefixOf(plain);
    this.groups = this.whole.groupCount();
    this.work = this.whole.re2().onepass === null ? this.whole.programSize() : ONE_PASS_WORK;
    this.sizeBytes = heldBytes(this.whole);
  }

  /**
   * Whether it matches all of the path. Not by the `test` methods: their lazily built automaton takes up to 275 ms for a path of
   * 2,048 characters, the others at most the work of each character.
   */
  matches(path: string): boolean {
    return path.startsWith(this.literal) && this.whole.matcher(path).matches();
  }

  /** What groups 0 (all of it), 1 … took of a path that it matches; '' for those that took no part. Null where it does not match. */
  groupsOf(path: string): string[] | null {
    if (!path.startsWith(this.literal)) return null;
    const matcher = this.whole.matcher(path);
    if (!matcher.matches()) return null;
    return Array.from({ length: this.groups + 1 }, (_, group) => matcher.group(group) ?? '');
  }
}

function compiled(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw new PatternError(
      `must be a regular expression of RE2, which knows no lookaround and no back-references (${error.message})`,
    );
  }
}

const prefixOf = (pattern: RE2JS): string => String(pattern.re2().prefix);

/** Of one that stood behind a `^`. */
function literalOf(rest: string): string {
  try {
    return prefixOf(RE2JS.compile(rest));
  } catch {
    return ''; // a `^` that is part of something larger, such as `^*`
  }
}

/** Adds up what the engine keeps of it: its instructions, and a copy of them where there is one way through it alone. */
function heldBytes(pattern: RE2JS): number {
  const { prog, onepass } = pattern.re2() as { prog: Program; onepass: Program | null };
  const instructions = [...prog.inst, ...(onepass?.inst ?? [])];
  const lists = instructions.reduce((sum, { runes, next }) => sum + runes.length + (next?.length ?? 0), 0);
  return PATTERN_BYTES + INSTRUCTION_BYTES * instructions.length + Int32Array.BYTES_PER_ELEMENT * lists;
}
