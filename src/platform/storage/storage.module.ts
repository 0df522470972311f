import { Global, Module } from '@nestjs/common';
import { Config } from '../../config/config';
import { s3SettingsOf } from '../../config/s3-settings';
import { DiskStorage } from './disk-storage';
import { ObjectStorage } from './object-storage';
import { S3Storage } from './s3-storage';
import { StorageSweep } from './storage-sweep.service';

const storage = {
  provide: ObjectStorage,
  inject: [Config],
  useFactory: (config: Config): ObjectStorage => {
    const settings = s3SettingsOf(config);
    return settings ? new S3Storage(settings) : new DiskStorage(config.STORAGE_PATH);
  },
};

/** Where files are kept. */
@Global()
@Module({
  providers: [storage, StorageSweep],
  exports: [ObjectStorage],
})
export class StorageModule {}
