import { Module } from '@nestjs/common';
import { ProductsModule } from '../products/products.module';
import { FileImportsController } from './file-imports.controller';
import { ImportProgress } from './import-progress.repository';
import { ImportQueue } from './import-queue.service';
import { ImportRunner } from './import-runner.service';
import { ImportWorker } from './import-worker.service';
import { ImportsController } from './imports.controller';
import { ImportsRepository } from './imports.repository';
import { ImportsService } from './imports.service';

/** Imports: files of products and customers, taken in as they come and worked off in the background. */
@Module({
  imports: [ProductsModule],
  controllers: [FileImportsController, ImportsController],
  providers: [ImportProgress, ImportQueue, ImportRunner, ImportsRepository, ImportsService, ImportWorker],
})
export class ImportsModule {}
