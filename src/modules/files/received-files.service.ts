import { Injectable } from '@nestjs/common';
import type { Actor } from '../../common/actor';

/** Whether the caller may read the message. */
export type MessageReader = (actor: Actor, messageId: string) => Promise<boolean>;

/** Files that came in as messages are read by whoever may read the message: the messages feature says here who that is. */
@Injectable()
export class ReceivedFiles {
  private reader: MessageReader | undefined;

  /** Call it while the modules are set up. */
  readBy(reader: MessageReader): void {
    if (this.reader) throw new Error('There are two who say who reads messages');
    this.reader = reader;
  }

  /** Whether the caller may read the message of that id; nobody may while nobody says so. */
  async mayRead(actor: Actor, messageId: string): Promise<boolean> {
    return (await this.reader?.(actor, messageId)) ?? false;
  }
}
