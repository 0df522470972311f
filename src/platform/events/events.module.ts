import { Global, Module } from '@nestjs/common';
import { EventBus } from './domain-events';
import { SharedEvents } from './shared-events';

/** The one bus of the process. */
@Global()
@Module({ providers: [EventBus, SharedEvents], exports: [EventBus] })
export class EventsModule {}
