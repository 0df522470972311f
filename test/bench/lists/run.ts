import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Cleanup } from '../cleanup';
import { type Measured, PAGE, pageOf, ROUNDS, tableOf } from './page';
import { type Part, PARTS } from './parts';

const QUICK_ROUNDS = 10;
/** In place of sizes: this part is not measured, and stays on the page as it is. */
const NONE = 'none';

/** What lists and statistics cost with many rows against few; writes docs/BENCHMARKS-LISTS.md unless it was quick. */
export async function runListsBenchmark({ quick }: { quick: boolean }): Promise<void> {
  const cleanup = new Cleanup();
  const stop = (): void => void cleanup.run().finally(() => process.exit(1));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const measured = new Map<Part, Measured[]>();
  const sizes = PARTS.map((part) => ({ part, sizes: sizesOf(part, quick) }));
  try {
    for (const { part, sizes: of } of sizes)
      if (of.length > 0) measured.set(part, await measure(cleanup, part, { sizes: of, quick }));
  } finally {
    await cleanup.run();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
  if (quick) return;
  writeFileSync(PAGE, pageOf(PARTS, measured));
  console.log(`Written to ${path.relative(process.cwd(), PAGE)}`);
}

async function measure(
  cleanup: Cleanup,
  part: Part,
  { sizes, quick }: { sizes: readonly number[]; quick: boolean },
): Promise<Measured[]> {
  const all: Measured[] = [];
  for (const rows of sizes) {
    console.log(`lists, ${rows} ${part.name}…`);
    const plan = { reference: part.reference, rows, rounds: quick ? QUICK_ROUNDS : ROUNDS };
    all.push({ rows, figures: await part.measure(cleanup, plan) });
    console.log(tableOf(part, all.slice(-1)));
    await cleanup.run();
  }
  return all;
}

/** How large the long ones are; none where this part is to be left. */
function sizesOf({ variable, reference, full, quick: few }: Part, quick: boolean): readonly number[] {
  const said = process.env[variable];
  if (said === NONE) return [];
  if (!said) return quick ? few : full;
  const numbers = said.split(',').map(Number);
  if (numbers.some((number) => !Number.isInteger(number) || number < reference))
    throw new Error(`${variable} must be whole numbers of at least ${reference}, by commas, or ${NONE}`);
  return numbers;
}
