import { Global, Module } from '@nestjs/common';
import { AuditLog } from './audit-log';

/** Where every feature writes what it did. Reading, sealing and checking are the audit feature's. */
@Global()
@Module({ providers: [AuditLog], exports: [AuditLog] })
export class AuditLogModule {}
