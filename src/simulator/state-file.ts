import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Me } from './me';
import type { Session, SessionStatus } from './session';
import type { SessionConfig } from './session-config';
import { Timers } from './timers';

/** What of a session survives a restart of the process. */
interface SavedSession {
  name: string;
  config: SessionConfig | null;
  status: SessionStatus;
  me: Me | null;
  lids: Array<[lid: string, phone: string]>;
  /** Absent in files of older versions. */
  spellings?: Array<[written: string, phone: string]>;
}

const SAVE_AFTER_MS = 100;

/** Keeps the sessions in a file, replaced atomically, shortly after each change. Without a path it keeps nothing. */
export class StateFile {
  private readonly timers = new Timers();
  private isSavePending = false;

  constructor(
    private readonly path: string | undefined,
    private readonly sessions: () => Session[],
  ) {}

  /** What the file holds; empty when there is none. Throws when it cannot be read as JSON. */
  load(): SavedSession[] {
    if (this.path === undefined) return [];
    try {
      const saved = JSON.parse(readFileSync(this.path, 'utf8')) as { sessions: SavedSession[] };
      return saved.sessions;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** Asks for a save soon; many changes make one save. */
  touch(): void {
    if (this.path === undefined || this.isSavePending) return;
    this.isSavePending = true;
    this.timers.after(SAVE_AFTER_MS, () => this.save());
  }

  /** Saves what is not saved yet. */
  close(): void {
    this.timers.close();
    if (this.isSavePending) this.save();
  }

  private save(): void {
    this.isSavePending = false;
    if (this.path === undefined) return;
    const sessions = this.sessions().map((session): SavedSession => ({
      name: session.name,
      config: session.config,
      status: session.status,
      me: session.me,
      lids: session.lids.pairs(),
      spellings: session.lids.spellings(),
    }));
    mkdirSync(dirname(this.path), { recursive: true });
    const draft = `${this.path}.tmp`;
    // Holds HMAC keys in clear, as WAHA's own store does: for the owner's eyes only.
    writeFileSync(draft, JSON.stringify({ sessions }), { mode: 0o600 });
    renameSync(draft, this.path);
  }
}
