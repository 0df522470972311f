const formats = new Map<string, Intl.DateTimeFormat>();
const offsetFormats = new Map<string, Intl.DateTimeFormat>();
const DATE: Intl.DateTimeFormatOptions = { year: 'numeric', month: '2-digit', day: '2-digit' };
const ZONE: Intl.DateTimeFormatOptions = { timeZoneName: 'longOffset' };

/** The longest that a day can still last, with all that a change of the clocks or of a zone's side of the date line adds. */
const LONGEST_REST_S = 50 * 3600;

/** The date in the time zone (IANA name) at that time, as `2026-11-24`; by UTC where nobody knows the zone. */
export function dayIn(timeZone: string, at: Date): string {
  return formatOf(timeZone).format(at);
}

/** Whole seconds until the day in the time zone is over: at least one. */
export function secondsLeftOfDay(timeZone: string, at: Date): number {
  const today = dayIn(timeZone, at);
  const isOver = (seconds: number): boolean => dayIn(timeZone, new Date(at.getTime() + seconds * 1000)) !== today;
  let [before, after] = [0, LONGEST_REST_S];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (isOver(middle)) after = middle;
    else before = middle;
  }
  return after;
}

/** Minutes that the clocks of the time zone (IANA name) are ahead of UTC at that time; 0 where nobody knows the zone. */
export function offsetMinutesIn(timeZone: string, at: Date): number {
  const name = offsetFormatOf(timeZone)
    .formatToParts(at)
    .find(({ type }) => type === 'timeZoneName')?.value;
  const [, sign, hours, minutes, seconds] = OFFSET.exec(name ?? '') ?? [];
  if (sign === undefined) return 0;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes) + Number(seconds ?? 0) / 60);
}

/** `GMT+05:30`; before there were zones, with seconds. UTC itself is `GMT`. */
const OFFSET = /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/;

const formatOf = (timeZone: string): Intl.DateTimeFormat => known(formats, timeZone, DATE);
const offsetFormatOf = (timeZone: string): Intl.DateTimeFormat => known(offsetFormats, timeZone, ZONE);

function known(made: Map<string, Intl.DateTimeFormat>, timeZone: string, options: Intl.DateTimeFormatOptions) {
  const format = made.get(timeZone) ?? newFormat(timeZone, options);
  made.set(timeZone, format);
  return format;
}

// en-CA writes dates as ISO 8601 does.
function newFormat(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-CA', { ...options, timeZone });
  } catch (error) {
    if (error instanceof RangeError) return new Intl.DateTimeFormat('en-CA', { ...options, timeZone: 'UTC' });
    throw error;
  }
}
