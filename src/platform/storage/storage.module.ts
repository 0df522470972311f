import { Global, Module } from '@nestjs/common';
import { Config } from '../../config/config';
import { DiskStorage } from './disk-storage';
import { ObjectStorage } from './object-storage';
import { StorageSweep } from './storage-sweep.service';

const disk = {
  provide: DiskStorage,
  inject: [Config],
  useFactory: ({ STORAGE_PATH: folder }: Config) => new DiskStorage(folder),
};

/** Where files are kept. */
@Global()
@Module({
  providers: [disk, { provide: ObjectStorage, useExisting: DiskStorage }, StorageSweep],
  exports: [ObjectStorage],
})
export class StorageModule {}
