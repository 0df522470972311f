import { Global, Module } from '@nestjs/common';
import { Config } from '../../config/config';
import { s3SettingsOf } from '../../config/s3-settings';
import { DiskStorage } from './disk-storage';
import { BackgroundStorage, ObjectStorage } from './object-storage';
import { IN_BACKGROUND } from './s3-bounds';
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

const background = {
  provide: BackgroundStorage,
  inject: [Config, ObjectStorage],
  useFactory: (config: Config, ofRequests: ObjectStorage): ObjectStorage => {
    const settings = s3SettingsOf(config);
    return settings ? new S3Storage(settings, IN_BACKGROUND) : ofRequests;
  },
};

/** Where files are kept. */
@Global()
@Module({
  providers: [storage, background, StorageSweep],
  exports: [ObjectStorage, BackgroundStorage],
})
export class StorageModule {}
