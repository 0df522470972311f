import { Injectable, type StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { AuditLog } from '../../platform/audit/audit-log';
import { type AuditActor, NOBODY } from '../../platform/audit/audit-record';
import { TenantDatabase } from '../../platform/database/tenant-database';
import { serveFile } from '../../platform/http/serve-file';
import { TenantDirectory } from '../../platform/http/tenant-directory';
import { type FileLink, FileLinks } from './file-links.service';
import { FileErrors } from './files.errors';
import type { FileRow } from './files.repository';
import { FilesService } from './files.service';

/** Hands files out, on record. */
@Injectable()
export class FileDownloads {
  constructor(
    private readonly db: TenantDatabase,
    private readonly files: FilesService,
    private readonly links: FileLinks,
    private readonly audit: AuditLog,
    private readonly tenants: TenantDirectory,
  ) {}

  /** The bytes to whoever may read the file. @throws NOT_FOUND, RANGE_NOT_SATISFIABLE */
  async serve(actor: Actor, id: string, reply: FastifyReply): Promise<StreamableFile | undefined> {
    return this.answer(await this.files.get(actor, id), { tenantId: actor.tenantId, who: actor, reply });
  }

  /** The bytes to whoever has a link, unless its tenant is suspended or gone. @throws NOT_FOUND, RANGE_NOT_SATISFIABLE */
  async serveLinked(token: string, reply: FastifyReply): Promise<StreamableFile | undefined> {
    const linked = this.links.read(token);
    if (!linked || !(await this.tenants.isActive(linked.tenantId))) throw FileErrors.notFound();
    return this.answer(await this.files.linked(linked), { tenantId: linked.tenantId, who: NOBODY, reply });
  }

  /** A link that opens it for so many seconds. @throws NOT_FOUND, FORBIDDEN for a key that may not read files */
  async link(actor: Actor, id: string, livesS: number): Promise<FileLink> {
    const { tenantId } = actor;
    if (!(await this.files.forUse(actor, id))) throw FileErrors.notFound();
    const link = this.links.linkTo({ tenantId, id }, livesS);
    const metadata = { expires_at: link.expiresAt.toISOString() };
    await this.db.transaction(tenantId, (tx) =>
      this.audit.record(tx, actor, { action: 'FILE_LINKED', resource: `file:${id}`, metadata }),
    );
    return link;
  }

  private answer(file: FileRow, to: { tenantId: string; who: AuditActor; reply: FastifyReply }) {
    const metadata = { size: file.size_bytes, mime_type: file.mime_type, ...(to.who === NOBODY ? { by: 'link' } : {}) };
    return serveFile(to.reply, {
      mimeType: file.mime_type,
      filename: file.name,
      sizeBytes: file.size_bytes,
      version: String(file.version),
      open: async (range, signal) => {
        const stream = await this.files.open(file, range, signal);
        const part = range ? { first: range.first, last: range.last } : {};
        this.audit.note(to.tenantId, to.who, {
          ...{ action: 'FILE_DOWNLOAD', resource: `file:${file.id}` },
          metadata: { ...metadata, ...part },
        });
        return stream;
      },
    });
  }
}
