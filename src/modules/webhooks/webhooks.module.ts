import { Module } from '@nestjs/common';
import { MessagesModule } from '../messages/messages.module';
import { WahaModule } from '../waha/waha.module';
import { CatchUpApplier } from './catch-up-applier.service';
import { CatchUpFiles } from './catch-up-files.service';
import { CatchUpReader } from './catch-up-reader.service';
import { CatchUp } from './catch-up.service';
import { EventApplier } from './event-applier.service';
import { EventWorker } from './event-worker.service';
import { StoredEventsController } from './stored-events.controller';
import { StoredEventsRepository } from './stored-events.repository';
import { StoredEvents } from './stored-events.service';
import { WebhookBacklog } from './webhook-backlog.service';
import { WebhookDoor } from './webhook-door.service';
import { WebhookEventsRepository } from './webhook-events.repository';
import { WebhookIngest } from './webhook-ingest.service';
import { WebhookMetrics } from './webhook.metrics';
import { WebhooksController } from './webhooks.controller';

/** WAHA's events: verified and stored at the door, applied in order behind it. */
@Module({
  imports: [WahaModule, MessagesModule],
  controllers: [WebhooksController, StoredEventsController],
  providers: [
    CatchUp,
    CatchUpApplier,
    CatchUpFiles,
    CatchUpReader,
    EventApplier,
    EventWorker,
    StoredEvents,
    StoredEventsRepository,
    WebhookBacklog,
    WebhookDoor,
    WebhookEventsRepository,
    WebhookIngest,
    WebhookMetrics,
  ],
})
export class WebhooksModule {}
