import { Module } from '@nestjs/common';
import { CustomersModule } from '../customers/customers.module';
import { MessagesModule } from '../messages/messages.module';
import { BulkController } from './bulk.controller';
import { BulkDrafts } from './bulk-drafts.service';
import { BulkService } from './bulk.service';
import { CampaignClock } from './campaign-clock.service';
import { CampaignsController } from './campaigns.controller';
import { CampaignsRepository } from './campaigns.repository';
import { CampaignsService } from './campaigns.service';

/** Campaigns: one message to many, each once, with a ledger. */
@Module({
  imports: [CustomersModule, MessagesModule],
  controllers: [BulkController, CampaignsController],
  providers: [BulkDrafts, BulkService, CampaignClock, CampaignsRepository, CampaignsService],
})
export class CampaignsModule {}
