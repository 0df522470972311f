import { isDeepStrictEqual } from 'node:util';
import { CommonErrors } from '../../common/common.errors';

/** When nothing is sent: from one time of day to another, of the tenant's time zone; it may span midnight. */
export interface QuietHours {
  /** `HH:MM`. */
  from: string;
  to: string;
}

/** How fast a new session sends. */
export interface Pace {
  per_minute: number;
  burst: number;
  jitter_ms: number;
}

/** What a tenant's own administrators set. */
export interface TenantSettings {
  /** ISO 4217. */
  currency: string;
  /** A name of the IANA time zone database: its days are the tenant's days. */
  time_zone: string;
  quiet_hours: QuietHours | null;
  /** What a contact writes to get no more messages; upper-case. */
  opt_out_words: string[];
  /** What it writes to get them again; upper-case. */
  opt_in_words: string[];
  default_pace: Pace;
}

const DEFAULTS: TenantSettings = {
  currency: 'EUR',
  time_zone: 'UTC',
  quiet_hours: null,
  opt_out_words: [
    ...['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT'], // what carriers and WhatsApp itself suggest
    ...['PARAR', 'SAIR', 'CANCELAR'], // Portuguese
    ...['BAJA', 'ALTO', 'DETENER'], // Spanish
    ...['STOPP', 'ABMELDEN'], // German
    ...['ARRET', 'ARRÊT', 'DESABONNER', 'DÉSABONNER'], // French
    ...['ANNULLA', 'FERMA'], // Italian
  ],
  opt_in_words: ['START', 'UNSTOP', 'SUBSCRIBE', 'VOLTAR', 'INICIAR', 'ALTA', 'ANMELDEN', 'REPRENDRE', 'INIZIA'],
  default_pace: { per_minute: 20, burst: 5, jitter_ms: 1_500 },
};

const NAMES = Object.keys(DEFAULTS) as (keyof TenantSettings)[];

/** The settings that hold: what is stored, over what holds unless told otherwise. */
export const settingsOf = (stored: Partial<TenantSettings>): TenantSettings => ({ ...DEFAULTS, ...stored });

/** What a change names of the settings; of the pace so much as it says. */
export type SettingsChange = Partial<Omit<TenantSettings, 'default_pace'> & { default_pace: Partial<Pace> }>;

/** The settings to be stored: what is not named stays as it is. */
export function mergedSettings(stored: Partial<TenantSettings>, change: SettingsChange): Partial<TenantSettings> {
  const { default_pace: pace, ...rest } = change;
  if (!pace) return { ...stored, ...rest };
  return { ...stored, ...rest, default_pace: { ...settingsOf(stored).default_pace, ...pace } };
}

/** The names of the settings in which the two differ. */
export function changedSettings(before: Partial<TenantSettings>, after: Partial<TenantSettings>): string[] {
  const [was, is] = [settingsOf(before), settingsOf(after)];
  return NAMES.filter((name) => !isDeepStrictEqual(was[name], is[name]));
}

/**
 * What no single setting can say.
 * @throws VALIDATION_FAILED
 */
export function requireSound(stored: Partial<TenantSettings>): void {
  const { opt_out_words: out, opt_in_words: back } = settingsOf(stored);
  const both = back.filter((word) => out.includes(word));
  if (both.length > 0)
    throw CommonErrors.invalidField('opt_in_words', `opt_in_words must not share words with opt_out_words: ${both[0]}`);
}
