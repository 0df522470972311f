import { isDeepStrictEqual } from 'node:util';
import { CommonErrors } from '../../common/common.errors';
import { MONEY_PLACES } from '../../common/money';
import { DEFAULT_PACE, mergedPace, type Pace, type PaceChange, type QuietHours } from '../../common/pace';
import { NO_ORDER_MESSAGES, type OrderMessageSettings } from './order-message-settings';

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
  vip_thresholds: VipThresholds;
  order_messages: OrderMessageSettings;
}

/** Above which sum of its orders a customer is `silver` or `gold`, as decimal texts: exactly that much is not above. */
export interface VipThresholds {
  silver: string;
  gold: string;
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
  default_pace: DEFAULT_PACE,
  vip_thresholds: { silver: '5000', gold: '10000' },
  order_messages: NO_ORDER_MESSAGES,
};

const NAMES = Object.keys(DEFAULTS) as (keyof TenantSettings)[];

/** What a tenant's row says: what nobody set is not there, nor what was not thought of when it was set. */
export type StoredSettings = Partial<
  Omit<TenantSettings, 'default_pace' | 'vip_thresholds' | 'order_messages'> & {
    default_pace: PaceChange;
    vip_thresholds: Partial<VipThresholds>;
    order_messages: Partial<OrderMessageSettings>;
  }
>;

/** The settings that hold: what is stored, over what holds unless told otherwise. */
export const settingsOf = (stored: StoredSettings): TenantSettings => ({
  ...DEFAULTS,
  ...stored,
  default_pace: mergedPace(DEFAULT_PACE, stored.default_pace),
  vip_thresholds: { ...DEFAULTS.vip_thresholds, ...stored.vip_thresholds },
  order_messages: { ...NO_ORDER_MESSAGES, ...stored.order_messages },
});

/** What a change names of the settings; of the pace, the thresholds and the messages so much as it says. */
export type SettingsChange = StoredSettings;

/** The settings to be stored: what is not named stays as it is. */
export function mergedSettings(stored: StoredSettings, change: SettingsChange): StoredSettings {
  const { default_pace: pace, vip_thresholds: thresholds, order_messages: messages, ...rest } = change;
  const present = settingsOf(stored);
  return {
    ...stored,
    ...rest,
    ...(pace ? { default_pace: mergedPace(present.default_pace, pace) } : {}),
    ...(thresholds ? { vip_thresholds: { ...present.vip_thresholds, ...thresholds } } : {}),
    ...(messages ? { order_messages: { ...present.order_messages, ...messages } } : {}),
  };
}

/** The names of the settings in which the two differ. */
export function changedSettings(before: StoredSettings, after: StoredSettings): string[] {
  const [was, is] = [settingsOf(before), settingsOf(after)];
  return NAMES.filter((name) => !isDeepStrictEqual(was[name], is[name]));
}

/**
 * What no single setting can say.
 * @throws VALIDATION_FAILED
 */
export function requireSound(stored: StoredSettings): void {
  const { opt_out_words: out, opt_in_words: back, vip_thresholds: vip } = settingsOf(stored);
  const both = back.filter((word) => out.includes(word));
  if (both.length > 0)
    throw CommonErrors.invalidField('opt_in_words', `opt_in_words must not share words with opt_out_words: ${both[0]}`);
  if (tenThousandths(vip.silver) >= tenThousandths(vip.gold))
    throw CommonErrors.invalidField('vip_thresholds', 'vip_thresholds must have silver below gold');
}

/** A decimal text of at most four places as a whole number, to be compared without rounding. */
function tenThousandths(decimal: string): bigint {
  const [whole = '', fraction = ''] = decimal.split('.');
  return BigInt(whole + fraction.padEnd(MONEY_PLACES.after, '0'));
}
