const formats = new Map<string, Intl.DateTimeFormat>();

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

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const made = newFormat(timeZone);
  formats.set(timeZone, made);
  return made;
}

// en-CA writes dates as ISO 8601 does.
function newFormat(timeZone: string): Intl.DateTimeFormat {
  const options = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
  try {
    return new Intl.DateTimeFormat('en-CA', { ...options, timeZone });
  } catch (error) {
    if (error instanceof RangeError) return new Intl.DateTimeFormat('en-CA', { ...options, timeZone: 'UTC' });
    throw error;
  }
}
