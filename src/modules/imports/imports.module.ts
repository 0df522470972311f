import { Module } from '@nestjs/common';
import { ProductsModule } from '../products/products.module';
import { TenantsModule } from '../tenants/tenants.module';
import { FileImportsController } from './file-imports.controller';
import { ImportProgress } from './import-progress.repository';
import { ImportQueue } from './import-queue.service';
import { ImportRunner } from './import-runner.service';
import { ImportUploads } from './import-uploads.service';
import { ImportWorker } from './import-worker.service';
import { ImportsController } from './imports.controller';
import { ImportsRepository } from './imports.repository';
import { ImportsService } from './imports.service';

/** Imports: files of products and customers, taken in as they come and worked off in the background. */
@Module({
  imports: [ProductsModule, TenantsModule],
  controllers: [FileImportsController, ImportsController],
  providers: [
    ImportProgress,
    ImportQueue,
    ImportRunner,
    ImportsRepository,
    ImportsService,
    ImportUploads,
    ImportWorker,
  ],
})
export class ImportsModule {}
