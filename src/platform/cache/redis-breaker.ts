/** How long after a failed probe the next one is sent. */
const PROBE_EVERY_MS = 250;

type Probe = () => Promise<unknown>;

/**
 * Remembers for the whole process that Redis does not answer, so that only the calls under way when it falls silent pay the
 * time-out; later ones are turned away at once. It closes when a background probe is answered.
 */
export class RedisBreaker {
  /** How often it has opened since the start. */
  opened = 0;
  private probe: Probe | undefined;
  private timer: NodeJS.Timeout | undefined;
  private probing = false;

  /** @param onChange called with whether it is open, each time that changes. */
  constructor(private readonly onChange: (open: boolean) => void = () => undefined) {}

  /** Whether Redis counts as away. */
  get open(): boolean {
    return this.probe !== undefined;
  }

  /** Opens it, and probes until an answer comes. The first probe goes out at once: a busy process looks like a dead Redis. */
  trip(probe: Probe): void {
    if (this.open) return;
    this.probe = probe;
    this.opened += 1;
    this.onChange(true);
    void this.tryNow();
  }

  /** Probes without waiting for the next turn: the connection has just come back. */
  hurry(): void {
    if (this.open) void this.tryNow();
  }

  /** Ends the probing; the state stays. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async tryNow(): Promise<void> {
    if (this.probing || !this.probe) return;
    this.stop();
    this.probing = true;
    const answered = await this.probe().then(
      () => true,
      () => false,
    );
    this.probing = false;
    if (answered) this.close();
    else this.timer = setTimeout(() => void this.tryNow(), PROBE_EVERY_MS).unref();
  }

  private close(): void {
    this.probe = undefined;
    this.onChange(false);
  }
}
