import { Global, Module } from '@nestjs/common';
import { AuditLog } from './audit-log';
import { RefusalRecorder } from './refusal-recorder';

/** Where every feature writes what it did. Reading, sealing and checking are the audit feature's. */
@Global()
@Module({ providers: [AuditLog, RefusalRecorder], exports: [AuditLog] })
export class AuditLogModule {}
