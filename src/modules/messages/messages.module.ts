import { Module } from '@nestjs/common';
import { FilesModule } from '../files/files.module';
import { TemplatesModule } from '../templates/templates.module';
import { WahaModule } from '../waha/waha.module';
import { BulkAcceptor } from './bulk-acceptor.service';
import { ChatAliases } from './chats/chat-aliases.service';
import { ChatAliasesRepository } from './chats/chat-aliases.repository';
import { Spellings } from './chats/spellings.service';
import { HiddenIds } from './chats/hidden-ids.service';
import { LaneStore } from './lanes/lane-store.service';
import { LaneWorker } from './lanes/lane-worker.service';
import { Sender } from './lanes/sender.service';
import { Settlement } from './lanes/settlement.service';
import { MediaController, MessageMediaController } from './media/media.controller';
import { MediaFetcher } from './media/media-fetcher.service';
import { MediaLinks } from './media/media-links.service';
import { MediaRepository } from './media/media.repository';
import { MediaService } from './media/media.service';
import { OutgoingMedia } from './media/outgoing-media.service';
import { ReceivedMedia } from './media/received-media.service';
import { MediaSource } from './media/media-source.service';
import { MediaStore } from './media/media-store.service';
import { MediaWorker } from './media/media-worker.service';
import { MessageActions } from './message-actions.service';
import { MessageActionsRepository } from './message-actions.repository';
import { MessageAcceptor } from './message-acceptor.service';
import { MessageChangesRepository } from './message-changes.repository';
import { MessageChanges } from './message-changes.service';
import { MessageClock } from './message-clock.service';
import { MessageHealth } from './message.health';
import { MessageMetrics } from './message.metrics';
import { MessageUpdates } from './message-updates.service';
import { MessagesController } from './messages.controller';
import { MessagesRepository } from './messages.repository';
import { MessagesService } from './messages.service';
import { MessageStatsController } from './stats/message-stats.controller';
import { MessageStatsRepository } from './stats/message-stats.repository';
import { MessageStatsService } from './stats/message-stats.service';
import { StatsMetrics } from './stats/stats.metrics';
import { StatsFolder } from './stats/stats-folder.service';
import { TransactionAcceptor } from './transaction-acceptor.service';

/** Messages: accepted into the queue, sent by lanes, and kept up to date by what WhatsApp tells. */
@Module({
  imports: [FilesModule, TemplatesModule, WahaModule],
  controllers: [MessageStatsController, MessagesController, MessageMediaController, MediaController],
  providers: [
    BulkAcceptor,
    ChatAliases,
    ChatAliasesRepository,
    HiddenIds,
    LaneStore,
    LaneWorker,
    MediaFetcher,
    MediaLinks,
    MediaRepository,
    MediaService,
    OutgoingMedia,
    ReceivedMedia,
    MediaSource,
    MediaStore,
    MediaWorker,
    MessageAcceptor,
    MessageActions,
    MessageActionsRepository,
    MessageChanges,
    MessageChangesRepository,
    MessageClock,
    MessageHealth,
    MessageMetrics,
    MessageStatsRepository,
    MessageStatsService,
    MessageUpdates,
    MessagesRepository,
    MessagesService,
    Sender,
    Settlement,
    Spellings,
    StatsFolder,
    StatsMetrics,
    TransactionAcceptor,
  ],
  exports: [
    BulkAcceptor,
    MessageChanges,
    MessageUpdates,
    MessagesService,
    TemplatesModule,
    TransactionAcceptor,
    WahaModule,
  ],
})
export class MessagesModule {}
