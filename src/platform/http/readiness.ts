import { Injectable } from '@nestjs/common';

/** Whether this process should get traffic: false before it listens and as soon as it begins to shut down. `/ready` reads it. */
@Injectable()
export class Readiness {
  private state: 'starting' | 'ready' | 'stopping' = 'starting';
  private readonly listeners: (() => void)[] = [];

  /** The process listens and its roles run. */
  ready(): void {
    if (this.state === 'starting') this.state = 'ready';
  }

  /** The process will end: from now on `/ready` fails, and connections are closed with their answer. */
  stopping(): void {
    if (this.state === 'stopping') return;
    this.state = 'stopping';
    for (const listener of this.listeners) listener();
  }

  /** Calls the listener when the process begins to shut down, before anything is closed. */
  whenStopping(listener: () => void): void {
    this.listeners.push(listener);
  }

  get isReady(): boolean {
    return this.state === 'ready';
  }

  get isStopping(): boolean {
    return this.state === 'stopping';
  }
}
