import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { IdempotencyGuard } from './idempotency.guard';
import { IdempotencySettlement } from './idempotency.settlement';
import { IdempotencyStore } from './idempotency.store';

/** `Idempotency-Key` on every write. Import it after the module whose guard knows the caller: guards run in that order. */
@Module({
  providers: [IdempotencyStore, IdempotencySettlement, { provide: APP_GUARD, useClass: IdempotencyGuard }],
})
export class IdempotencyModule {}
