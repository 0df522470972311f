import { Module } from '@nestjs/common';
import { WahaModule } from '../waha/waha.module';
import { LaneStore } from './lanes/lane-store.service';
import { LaneWorker } from './lanes/lane-worker.service';
import { Sender } from './lanes/sender.service';
import { Settlement } from './lanes/settlement.service';
import { MediaController, MessageMediaController } from './media/media.controller';
import { MediaFetcher } from './media/media-fetcher.service';
import { MediaLinks } from './media/media-links.service';
import { MediaRepository } from './media/media.repository';
import { MediaService } from './media/media.service';
import { MediaSource } from './media/media-source.service';
import { MediaStore } from './media/media-store.service';
import { MediaWorker } from './media/media-worker.service';
import { MessageActions } from './message-actions.service';
import { MessageActionsRepository } from './message-actions.repository';
import { MessageAcceptor } from './message-acceptor.service';
import { MessageClock } from './message-clock.service';
import { MessageHealth } from './message.health';
import { MessageMetrics } from './message.metrics';
import { MessageUpdates } from './message-updates.service';
import { MessagesController } from './messages.controller';
import { MessagesRepository } from './messages.repository';
import { MessagesService } from './messages.service';

/** Messages: accepted into the queue, sent by lanes, and kept up to date by what WhatsApp tells. */
@Module({
  imports: [WahaModule],
  controllers: [MessagesController, MessageMediaController, MediaController],
  providers: [
    LaneStore,
    LaneWorker,
    MediaFetcher,
    MediaLinks,
    MediaRepository,
    MediaService,
    MediaSource,
    MediaStore,
    MediaWorker,
    MessageAcceptor,
    MessageActions,
    MessageActionsRepository,
    MessageClock,
    MessageHealth,
    MessageMetrics,
    MessageUpdates,
    MessagesRepository,
    MessagesService,
    Sender,
    Settlement,
  ],
  exports: [MessageUpdates],
})
export class MessagesModule {}
