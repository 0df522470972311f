import { ApiProperty } from '@nestjs/swagger';
import type { FileLink } from '../file-links.service';
import type { FileRow } from '../files.repository';

/** What is known of a file. */
export class FileResponse {
  id: string;
  /** Whoever stored it; null where it came in as a message. */
  @ApiProperty({ type: String, nullable: true })
  user_id: string | null;
  /** For display: it names no place. */
  name: string;
  /** Bytes. */
  size: number;
  /** By its bytes, whatever the client said. @example "image/png" */
  mime_type: string;
  /** Of its bytes, lowercase hexadecimal. */
  sha256: string;
  created: Date;
}

/** Lists each field by hand: a new column stays private until somebody adds it. */
export const fileResponse = (row: FileRow): FileResponse => ({
  id: row.id,
  user_id: row.user_id,
  name: row.name,
  size: row.size_bytes,
  mime_type: row.mime_type,
  sha256: row.sha256,
  created: row.created_at,
});

/** A link that opens a file without a credential. */
export class FileLinkResponse {
  /** The whole address. */
  url: string;
  expires_at: Date;
}

/** The link as it is answered. */
export const fileLinkResponse = ({ url, expiresAt }: FileLink): FileLinkResponse => ({ url, expires_at: expiresAt });
