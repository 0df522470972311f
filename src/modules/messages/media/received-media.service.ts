import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type Actor, actorMay } from '../../../common/actor';
import { ReceivedFiles } from '../../files/received-files.service';
import { mayRead } from '../messages.policy';
import { MessagesRepository } from '../messages.repository';

/** Says who reads the files that came in: whoever may read their messages. */
@Injectable()
export class ReceivedMedia implements OnModuleInit {
  constructor(
    private readonly received: ReceivedFiles,
    private readonly messages: MessagesRepository,
  ) {}

  onModuleInit(): void {
    this.received.readBy((actor, id) => this.mayRead(actor, id));
  }

  private async mayRead(actor: Actor, id: string): Promise<boolean> {
    if (!actorMay(actor, 'messages:read')) return false;
    const message = await this.messages.findById(actor.tenantId, id);
    return message !== null && mayRead(actor, message);
  }
}
