/** Beyond what is no lock any more but a mistake. */
const MOST_MS = 90 * 86_400_000;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** WAHA gives these times in seconds. */
const timeOf = (seconds: unknown): Date => {
  const ms = Math.min(Number(seconds) * 1_000, Date.now() + MOST_MS);
  return new Date(Number.isFinite(ms) ? ms : Date.now());
};

/**
 * Until when WhatsApp lets a session write to nobody new, as the `data` of its state says from WAHA 2026.7.1 on (docs/WAHA.md §5): the
 * reach-out lock (463) and the quota of new chats (475). Null: it lets it, or does so again; undefined: nothing is said of the lock, and no quota is spent.
 */
export function newChatsClosedUntil(data: unknown): Date | null | undefined {
  if (!isObject(data)) return undefined;
  const { reachoutTimelock: lock, messageCapping: cap } = data;
  const ends: Date[] = [];
  if (isObject(lock) && lock.isActive === true) ends.push(timeOf(lock.timeEnforcementEnds));
  if (isObject(cap) && cap.cappingStatus === 'CAPPED') ends.push(timeOf(cap.cycleEnd));
  if (ends.length > 0) return new Date(Math.max(...ends.map((end) => end.getTime())));
  return isObject(lock) ? null : undefined; // that there is quota left says nothing of the lock
}
