import { ApiProperty } from '@nestjs/swagger';
import { IMPORT_KINDS, type ImportKindName } from '../import-kind';
import {
  IMPORT_FORMATS,
  IMPORT_STATUSES,
  type ImportErrorRow,
  type ImportFormat,
  type ImportRow,
  type ImportStatus,
} from '../imports.repository';

/** What a file that was taken in is asked for with. */
export class AcceptedImportResponse {
  /** Of `GET /imports/:id`. */
  @ApiProperty({ format: 'uuid' })
  job_id!: string;
}

/** What became of the rows so far; `read` is the sum of the others. */
class ImportedRowsResponse {
  read!: number;
  inserted!: number;
  /** Rows that differed from what was there. */
  updated!: number;
  /** Rows that said what was there already. */
  unchanged!: number;
  /** Rows that are in `GET /imports/:id/errors`. */
  refused!: number;
}

/** A file that is imported, and how far that is. */
export class ImportResponse {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ enum: IMPORT_KINDS })
  kind!: ImportKindName;

  @ApiProperty({ enum: IMPORT_FORMATS })
  format!: ImportFormat;

  /** `failed`: the file could not be read to its end; what the counts say is done all the same. */
  @ApiProperty({ enum: IMPORT_STATUSES })
  status!: ImportStatus;

  /** Of the file. */
  size_bytes!: number;

  rows!: ImportedRowsResponse;

  /** Why it failed; else null. */
  @ApiProperty({ type: String, nullable: true })
  error!: string | null;

  created_at!: Date;

  @ApiProperty({ type: Date, nullable: true })
  started_at!: Date | null;

  @ApiProperty({ type: Date, nullable: true })
  finished_at!: Date | null;
}

/** A row that was refused. */
export class ImportErrorResponse {
  /** Where the row begins in the file, from 1; the header of a table is line 1. */
  line!: number;

  /** Of the row, as far as it could be read. */
  @ApiProperty({ type: String, nullable: true })
  id!: string | null;

  /** What of it is at fault; null where it is the row as a whole. */
  @ApiProperty({ type: String, nullable: true })
  field!: string | null;

  reason!: string;
}

/** An import as it is answered. */
export function importResponse(row: ImportRow): ImportResponse {
  const { id, kind, format, status, size_bytes, error, created_at, started_at, finished_at } = row;
  const rows = {
    read: Number(row.read),
    inserted: Number(row.inserted),
    updated: Number(row.updated),
    unchanged: Number(row.unchanged),
    refused: Number(row.refused),
  };
  return { id, kind, format, status, size_bytes: Number(size_bytes), rows, error, created_at, started_at, finished_at };
}

/** A refused row as it is answered. */
export const importErrorResponse = ({ id, row_id, field, reason }: ImportErrorRow): ImportErrorResponse => ({
  line: Number(id),
  id: row_id,
  field,
  reason,
});
