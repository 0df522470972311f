import { Module } from '@nestjs/common';
import { ApiKeysController } from './api-keys.controller';
import { ApiKeysRepository } from './api-keys.repository';
import { ApiKeysService } from './api-keys.service';
import { KeyAccess } from './key-access.service';
import { KeyDirectory } from './key-directory.service';
import { KeyUsage } from './key-usage';
import { StrangeKeys } from './strange-keys';

/** API keys: the service accounts of the tenants. */
@Module({
  controllers: [ApiKeysController],
  providers: [ApiKeysRepository, KeyDirectory, KeyUsage, StrangeKeys, KeyAccess, ApiKeysService],
  exports: [KeyAccess, ApiKeysService],
})
export class ApiKeysModule {}
