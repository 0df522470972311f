import { qrValue } from './ids';
import type { LidBook } from './lid-book';
import type { MessageMedia } from './message';
import type { MessageStore } from './message-store';
import type { SessionConfig } from './session-config';
import type { EngineName } from './settings';
import type { Me } from './me';
import type { SessionMemory } from './shared-storage';
import { Timers } from './timers';
import type { SimulatorTiming } from './timing';

/** WAHA's word for the state of a session. */
export type SessionStatus = 'STOPPED' | 'STARTING' | 'SCAN_QR_CODE' | 'WORKING' | 'FAILED';

/** What a session needs from around it. */
interface SessionSurroundings {
  timing: SimulatorTiming;
  engine: EngineName;
  /** Called after every change of status, also for each new QR code. */
  onStatus(session: Session): void;
}

const QR_CODES_PER_START = 6;
const STATUSES_KEPT = 3;

/**
 * One WAHA session and its status machine: STOPPED → STARTING → SCAN_QR_CODE (a new code after 60 s, then every 20 s, six
 * in all, then FAILED) → scan → STARTING → WORKING. A paired session goes from STARTING to WORKING by itself.
 */
export class Session {
  status: SessionStatus = 'STOPPED';
  /** The last three, as `session.status` carries them; timestamps in ms. */
  statuses: Array<{ status: SessionStatus; timestamp: number }> = [];
  /** What the current QR code holds; null outside SCAN_QR_CODE. */
  qr: string | null = null;
  /** Last activity in ms. */
  activityAtMs: number | null = null;
  /** The phone that a pairing code was asked for. */
  pairingPhone: string | null = null;
  /** So many starts more it hears nothing while it is WORKING: acks and what people write are lost. */
  deafForStarts = 0;
  /** So many starts more end in FAILED. */
  failingStarts = 0;
  readonly lids: LidBook;
  readonly store: MessageStore;
  /** Files of inbound messages by bare message id, as WAHA serves them. */
  readonly files = new Map<string, MessageMedia>();
  /** Chats, by key, in which something was written already: WhatsApp's 463 and 475 do not touch them. */
  readonly knownChats: Set<string>;
  private readonly timers = new Timers();
  private readonly watchers = new Set<() => void>();
  private held: Array<() => void> = [];

  constructor(
    readonly name: string,
    public config: SessionConfig | null,
    private readonly surroundings: SessionSurroundings,
    private readonly memory: SessionMemory,
  ) {
    this.lids = memory.lids;
    this.store = memory.store;
    this.knownChats = memory.knownChats;
  }

  /** Whose phone it is paired with; null when it is not. */
  get me(): Me | null {
    return this.memory.me;
  }

  /** Starts a stopped session; does nothing for one in any other status, FAILED included. */
  start(): void {
    if (this.status !== 'STOPPED') return;
    this.statuses = [];
    this.deafForStarts = Math.max(0, this.deafForStarts - 1);
    this.enter('STARTING');
    this.later(this.surroundings.timing.start, () => this.afterStart());
  }

  /** Stops it, from any status. */
  stop(): void {
    this.halt();
    if (this.status !== 'STOPPED') this.enter('STOPPED');
  }

  /** Stops and starts it. */
  restart(): void {
    this.stop();
    this.start();
  }

  /** Forgets the pairing and keeps the config; starts again if it ran. */
  logout(): void {
    const ran = this.status !== 'STOPPED';
    this.stop();
    this.unpair();
    if (ran) this.start();
  }

  /** The phone scans the code: WORKING follows. False when no code is shown. */
  pair(me: Me): boolean {
    if (this.status !== 'SCAN_QR_CODE') return false;
    this.halt();
    this.memory.me = me;
    this.enter('STARTING');
    this.later(this.surroundings.timing.pair, () => this.work());
    return true;
  }

  /** The phone removes the device: FAILED at once, and a restart shows a new code. */
  logoutFromPhone(): void {
    this.unpair();
    this.fail();
  }

  /** Goes to FAILED; WEBJS restarts such a session by itself, the others wait for a restart. */
  fail(): void {
    this.halt();
    this.enter('FAILED');
    if (this.surroundings.engine === 'WEBJS') {
      this.later(this.surroundings.timing.reconnect, () => this.restart());
    }
  }

  /** Loses its connection for that long and comes back by itself. */
  disconnect(forMs: number): void {
    this.halt();
    this.enter('STARTING');
    this.later(forMs, () => (this.me === null ? this.showQr(1) : this.work()));
  }

  /** Dies without a word, as in a crash of WAHA. Returns whether it ran. */
  crash(): boolean {
    const ran = this.status !== 'STOPPED';
    this.halt();
    this.status = 'STOPPED';
    return ran;
  }

  /** Ends its timers for good. */
  dispose(): void {
    this.halt();
    this.timers.close();
    this.held = [];
    this.notify();
  }

  /** Whether it hears nothing of WhatsApp, whatever its status says. */
  get deaf(): boolean {
    return this.deafForStarts > 0;
  }

  /** Does it now if WORKING, else when WORKING again: WhatsApp keeps what comes for a device that is away. */
  whenOnline(action: () => void): void {
    if (this.status === 'WORKING') action();
    else this.held.push(action);
  }

  /** Calls the watcher at every change of status and at the end. Returns how to stop that. */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  private afterStart(): void {
    if (this.failingStarts > 0) {
      this.failingStarts -= 1;
      this.fail();
    } else if (this.me === null) this.showQr(1);
    else this.work();
  }

  private showQr(count: number): void {
    if (count > QR_CODES_PER_START) {
      this.fail();
      return;
    }
    this.qr = qrValue();
    this.enter('SCAN_QR_CODE');
    const { qrFirst, qrNext } = this.surroundings.timing;
    this.later(count === 1 ? qrFirst : qrNext, () => this.showQr(count + 1));
  }

  private work(): void {
    this.enter('WORKING');
    const held = this.held;
    this.held = [];
    for (const action of held) action();
  }

  private unpair(): void {
    this.memory.me = null;
    this.held = [];
  }

  private halt(): void {
    this.timers.clear();
    this.qr = null;
  }

  private enter(status: SessionStatus): void {
    this.status = status;
    this.activityAtMs = Date.now();
    this.statuses = [...this.statuses, { status, timestamp: this.activityAtMs }].slice(-STATUSES_KEPT);
    this.surroundings.onStatus(this);
    this.notify();
  }

  private notify(): void {
    for (const watcher of [...this.watchers]) watcher();
  }

  private later(delayMs: number, action: () => void): void {
    this.timers.after(delayMs, action);
  }
}
