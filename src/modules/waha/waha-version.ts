import type { WahaClient } from './client/waha-client';
import { WahaFailure } from './client/waha-failure';

/** The first version in which Core has several sessions and sends media (docs/WAHA.md §0), and in which ids can be reserved (§4). */
const MIN_VERSION = '2026.6.1';
const RESERVED_IDS_SINCE = '2026.4.3';
const ENGINES_WITH_RESERVED_IDS = ['NOWEB', 'GOWS'];

/** What a server said that it is, and what follows of it. */
export interface WahaAbilities {
  version: string;
  engine: string;
  /** Whether message ids can be reserved before a send. */
  reservesIds: boolean;
  /** Why no session may be put on it; null when it is fine. */
  refusedFor: string | null;
}

/** Asks a server what it is. @throws WahaFailure when it does not answer, or not as WAHA does */
export async function abilitiesOf(client: WahaClient): Promise<WahaAbilities> {
  const { version, engine } = await client.version();
  if (!/^\d+\.\d+/.test(version) || engine === '') throw new WahaFailure('answered', 200, 'this is no WAHA');
  const tooOld = compareVersions(version, MIN_VERSION) < 0;
  return {
    version,
    engine,
    refusedFor: tooOld ? `WAHA ${version} is older than ${MIN_VERSION}, which knows one session only` : null,
    reservesIds: ENGINES_WITH_RESERVED_IDS.includes(engine) && compareVersions(version, RESERVED_IDS_SINCE) >= 0,
  };
}

/** Compares versions such as 2026.9 and 2026.6.1 number by number; a missing number counts as 0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(/[.-]/).map(Number)) as [number[], number[]];
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference) return Math.sign(difference);
  }
  return 0;
}
