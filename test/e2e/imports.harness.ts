import { readdir } from 'node:fs/promises';
import type { ImportErrorResponse, ImportResponse } from '../../src/modules/imports/dto/import.response';
import type { HttpAnswer, HttpClient } from '../support/http-client';
import { eventually } from '../support/wait';

export const CSV = { 'content-type': 'text/csv' };
export const NDJSON = { 'content-type': 'application/x-ndjson' };

/** As JSON has it. */
export type WireImport = Omit<ImportResponse, 'created_at' | 'started_at' | 'finished_at'> & {
  finished_at: string | null;
};

export type Kind = 'products' | 'customers';

/** Sends a file; answers what comes back at once. */
export const send = (http: HttpClient, kind: Kind, body: string | Buffer, headers: Record<string, string> = CSV) =>
  http.post<{ job_id: string }>(`/${kind}/import`, body, { headers });

/** Waits for the end of an import. */
export async function ended(http: HttpClient, id: string, timeoutMs = 20_000): Promise<WireImport> {
  let last: WireImport | undefined;
  const over = async (): Promise<boolean> => {
    last = (await http.get<WireImport>(`/imports/${id}`)).body;
    return ['finished', 'failed'].includes(last.status);
  };
  await eventually(over, { timeoutMs, what: 'the import to end' });
  return last as WireImport;
}

/** Sends a file and waits for its end. */
export async function imported(
  http: HttpClient,
  kind: Kind,
  body: string | Buffer,
  headers: Record<string, string> = CSV,
): Promise<WireImport> {
  const answer = await send(http, kind, body, headers);
  if (answer.status !== 202) throw new Error(`The import was refused: ${answer.text}`);
  return ended(http, answer.body.job_id);
}

export const errorsOf = async (http: HttpClient, id: string): Promise<ImportErrorResponse[]> =>
  (await http.get<ImportErrorResponse[]>(`/imports/${id}/errors?limit=100`)).body;

/** What the storage holds of a tenant, and what was begun in it. */
export async function objectsIn(folder: string, tenantId: string): Promise<string[]> {
  const names = await Promise.all(
    [tenantId, 'temporary'].map((name) => readdir(`${folder}/${name}`).catch(() => [] as string[])),
  );
  return names.flat();
}

/** The lines of an answer that is lines of JSON. */
export const linesOf = <T>({ text }: HttpAnswer<never>): T[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
