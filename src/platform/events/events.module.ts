import { Global, Module } from '@nestjs/common';
import { EventBus } from './domain-events';

/** The one bus of the process. */
@Global()
@Module({ providers: [EventBus], exports: [EventBus] })
export class EventsModule {}
