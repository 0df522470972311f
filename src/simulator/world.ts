import { Agent } from 'undici';
import { EventPublisher } from './event-publisher';
import { Faults } from './faults';
import { SendLog } from './send-log';
import type { Me } from './me';
import { Session } from './session';
import type { SessionConfig } from './session-config';
import { SessionRegistry } from './session-registry';
import { isVersionAtLeast, type Settings } from './settings';
import type { SharedStorage } from './shared-storage';
import { StateFile } from './state-file';
import { Timers } from './timers';
import { WebhookSender } from './webhook-sender';
import { WhatsApp } from './whatsapp';

/** Everything that one simulator is: a WAHA with its sessions, the WhatsApp behind it, the faults and the records. */
export class World {
  readonly startedAtMs = Date.now();
  readonly timers = new Timers();
  readonly faults: Faults;
  readonly sends = new SendLog();
  readonly webhooks: WebhookSender;
  readonly publisher: EventPublisher;
  readonly sessions: SessionRegistry;
  readonly whatsapp: WhatsApp;
  readonly state: StateFile;
  private readonly storage: SharedStorage;
  /** Fetches the files that sends name by url. */
  readonly fileAgent = new Agent();
  /** Until when this WAHA is down after a crash, in ms; 0 when it is up. */
  downUntilMs = 0;
  /** Where it is reached; known once it listens. */
  url = '';

  constructor(readonly settings: Settings) {
    this.storage = settings.storage;
    this.faults = new Faults(settings.seed);
    this.webhooks = new WebhookSender(this.faults, `WAHA/${settings.version}`);
    this.publisher = new EventPublisher(settings, this.webhooks);
    this.sessions = new SessionRegistry(settings.timing);
    this.state = new StateFile(settings.stateFile, () => this.sessions.list());
    const { faults, sends, sessions, publisher } = this;
    this.whatsapp = new WhatsApp({ settings, faults, sends, sessions, publisher, baseUrl: () => this.url });
  }

  /** Makes a stopped session, in place of any of that name. */
  createSession(name: string, config: SessionConfig | null, me: Me | null = null): Session {
    const { timing, engine } = this.settings;
    const onStatus = (session: Session) => {
      this.state.touch();
      this.publishStatus(session);
    };
    const memory = this.storage.of(name);
    memory.me ??= me;
    const session = new Session(name, config, { timing, engine, onStatus }, memory);
    this.sessions.add(session);
    this.state.touch();
    return session;
  }

  /** Brings back what the state file holds: sessions that ran start again, as WAHA restarts its own. */
  restore(): void {
    for (const saved of this.state.load()) {
      const session = this.createSession(saved.name, saved.config, saved.me);
      for (const [lid, phone] of saved.lids) session.lids.learn(lid, phone);
      for (const [written, phone] of saved.spellings ?? []) session.lids.respell(written, phone);
      if (saved.status !== 'STOPPED') session.start();
    }
  }

  /** Stops, logs out and deletes; nothing happens if there is no such session. */
  deleteSession(name: string): void {
    this.sessions.find(name)?.stop();
    this.sessions.remove(name);
    this.storage.forget(name);
    this.state.touch();
  }

  /** Forgets all sessions without a word. */
  forget(): void {
    for (const { name } of this.sessions.list()) this.storage.forget(name);
    this.sessions.clear();
    this.state.touch();
  }

  /** Crashes: undelivered webhooks are gone, and once it is up again the sessions that ran start by themselves. */
  crash(downMs: number): void {
    this.webhooks.crash();
    const ran = this.sessions.list().filter((session) => session.crash());
    const comeBack = () => {
      this.downUntilMs = 0;
      for (const session of ran) if (this.sessions.has(session)) session.start();
    };
    if (downMs === 0) return comeBack();
    this.downUntilMs = Date.now() + downMs;
    this.timers.after(downMs, comeBack);
  }

  /** Ends timers and sockets, and saves the state. */
  async close(): Promise<void> {
    this.timers.close();
    this.whatsapp.close();
    // Before the sessions end, so that they come back as they are now.
    this.state.close();
    this.sessions.close();
    await this.fileAgent.destroy();
    await this.webhooks.close();
  }

  private publishStatus(session: Session): void {
    const { name, status, statuses } = session;
    const data = isVersionAtLeast(this.settings.version, '2026.7.1') ? { data: null } : {};
    this.publisher.publish(session, ['session.status'], { name, status, statuses, ...data });
  }
}
