import { auditLogResponse } from './dto/audit-log.response';
import type { AuditLogRow } from './audit-logs.repository';

export const EXPORT_FORMATS = ['ndjson', 'csv'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const EXPORT_TYPES: Record<ExportFormat, string> = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
};

const CSV_COLUMNS = [
  'id',
  'timestamp',
  'user_id',
  'actor_kind',
  'actor_id',
  'action',
  'resource',
  'ip',
  'user_agent',
  'request_id',
  'metadata',
];

/** What stands before the records. */
export const headOf = (format: ExportFormat): string => (format === 'csv' ? csvLine(CSV_COLUMNS) : '');

/** One record, with the end of its line. */
export function lineOf(format: ExportFormat, row: AuditLogRow): string {
  const record = auditLogResponse(row);
  if (format === 'ndjson') return `${JSON.stringify(record)}\n`;
  const { id, timestamp, user_id, actor, action, resource, ip, user_agent, request_id, metadata } = record;
  const time = timestamp.toISOString();
  const of = [actor.kind, actor.id, action, resource, ip, user_agent, request_id];
  return csvLine([id, time, user_id, ...of, JSON.stringify(metadata)]);
}

/** RFC 4180. */
const csvLine = (cells: (string | null)[]): string => `${cells.map(csvCell).join(',')}\r\n`;

/** Spreadsheets take what begins so for a formula, and run it (OWASP, CSV injection): an apostrophe makes it a text. */
const FORMULA = /^[=+\-@\t\r\n]/;

const csvCell = (text: string | null): string => {
  const safe = text !== null && FORMULA.test(text) ? `'${text}` : (text ?? '');
  return `"${safe.replaceAll('"', '""')}"`;
};
