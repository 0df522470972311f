import { SharedStorage } from './shared-storage';
import { DEFAULT_TIMING, type SimulatorTiming } from './timing';

/** WAHA's engines that the simulator can answer as. */
export type EngineName = 'NOWEB' | 'GOWS' | 'WEBJS';

/** What a simulator is started with. */
export interface SimulatorOptions {
  /** 0 takes a free port. */
  port: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** The key that `/api/*` and `/health` want in `X-Api-Key`; must not be empty. */
  apiKey: string;
  /** Default NOWEB. */
  engine?: EngineName;
  /** The WAHA version to speak as. Below 2026.4.3 there is no new-message-id and `id` in sends is ignored. */
  version?: string;
  /** Default CORE from 2026.6.1 on, else PLUS; a CORE older than that knows only the session `default`, as WAHA's did. */
  tier?: 'CORE' | 'PLUS';
  /** Where sessions, their config and status are kept over a restart of the process; without it, in memory only. */
  stateFile?: string;
  /** Where logins and messages of sessions are kept; simulators that are given the same one form a storage group. */
  storage?: SharedStorage;
  /** Overrides of the default timing, in milliseconds. */
  timing?: Partial<SimulatorTiming>;
  /** Seed of every random choice: the same seed and calls give the same faults. */
  seed?: number;
}

/** The options with every default filled in. */
export interface Settings {
  readonly apiKey: string;
  readonly engine: EngineName;
  readonly version: string;
  readonly tier: 'CORE' | 'PLUS';
  readonly stateFile: string | undefined;
  readonly storage: SharedStorage;
  readonly timing: SimulatorTiming;
  readonly seed: number;
}

/** WAHA's `environment`: part of every event, of 500s and of the version endpoint. */
export interface WahaEnvironment {
  version: string;
  engine: EngineName;
  tier: 'CORE' | 'PLUS';
  browser: string | null;
  platform: string;
  worker: { id: string };
}

/** Fills in the defaults. Throws an Error when the key is empty: an empty key would let everybody in. */
export function resolveSettings(options: SimulatorOptions): Settings {
  if (options.apiKey === '') throw new Error('The simulator needs a non-empty apiKey');
  const version = options.version ?? '2026.9.0';
  return {
    apiKey: options.apiKey,
    engine: options.engine ?? 'NOWEB',
    version,
    tier: options.tier ?? (isVersionAtLeast(version, '2026.6.1') ? 'CORE' : 'PLUS'),
    stateFile: options.stateFile,
    storage: options.storage ?? new SharedStorage(),
    timing: { ...DEFAULT_TIMING, ...options.timing },
    seed: options.seed ?? Math.floor(Math.random() * 2 ** 31),
  };
}

/** Compares dotted versions by number; a missing part counts as 0. */
export function isVersionAtLeast(version: string, wanted: string): boolean {
  const have = version.split('.').map(Number);
  const want = wanted.split('.').map(Number);
  for (let part = 0; part < Math.max(have.length, want.length); part += 1) {
    const difference = (have[part] ?? 0) - (want[part] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** The `environment` object of these settings. */
export function environmentOf(settings: Settings): WahaEnvironment {
  return {
    version: settings.version,
    engine: settings.engine,
    tier: settings.tier,
    browser: settings.engine === 'WEBJS' ? '/usr/bin/google-chrome-stable' : null,
    platform: 'linux/x64',
    worker: { id: 'simulator' },
  };
}

/** Whether this WAHA hands out message ids and honours them in sends (since 2026.4.3; NOWEB and GOWS only). */
export function takesMessageIds(settings: Settings): boolean {
  return settings.engine !== 'WEBJS' && isVersionAtLeast(settings.version, '2026.4.3');
}
