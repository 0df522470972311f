import { Module } from '@nestjs/common';
import { TenantsModule } from '../tenants/tenants.module';
import { FileDeletion } from './file-deletion.service';
import { FileDownloads } from './file-downloads.service';
import { FileKeeper } from './file-keeper.service';
import { FileLinksController } from './file-links.controller';
import { FileLinks } from './file-links.service';
import { FilesController } from './files.controller';
import { FilesRepository } from './files.repository';
import { FilesService } from './files.service';
import { FileUploads } from './file-uploads.service';
import { ObjectRemovals } from './object-removals.service';
import { ObjectsRepository } from './objects.repository';
import { ReceivedFiles } from './received-files.service';
import { ShownFiles } from './shown-files.service';

/** Files: what people keep, and what came in as messages. */
@Module({
  imports: [TenantsModule],
  controllers: [FileLinksController, FilesController],
  providers: [
    FilesRepository,
    ObjectsRepository,
    ReceivedFiles,
    ShownFiles,
    FilesService,
    FileKeeper,
    FileUploads,
    FileDownloads,
    FileDeletion,
    FileLinks,
    ObjectRemovals,
  ],
  exports: [FilesService, ReceivedFiles, ShownFiles],
})
export class FilesModule {}
