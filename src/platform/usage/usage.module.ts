import { Global, Module } from '@nestjs/common';
import { ApiCalls } from './api-calls';
import { StorageUse } from './storage-use';

/** Measures what tenants use of the service itself. */
@Global()
@Module({ providers: [ApiCalls, StorageUse], exports: [StorageUse] })
export class UsageModule {}
