import type { HttpAnswer, HttpClient } from './http-client';

/** A file as the API shows it. */
export interface WireFile {
  id: string;
  user_id: string | null;
  name: string;
  size: number;
  mime_type: string;
  sha256: string;
  created: string;
}

const BOUNDARY = 'only-for-tests-0123456789';

/** A form as a browser writes it; names go as they are. */
export function formOf(
  ...parts: { field?: string; filename?: string; type?: string; bytes: Buffer | string }[]
): Buffer {
  const pieces = parts.flatMap(({ field = 'file', filename, type, bytes }) => [
    `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${field}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n`,
    `${filename === undefined && type === undefined ? '' : `content-type: ${type ?? 'application/octet-stream'}\r\n`}\r\n`,
    bytes,
    '\r\n',
  ]);
  return Buffer.concat([...pieces, `--${BOUNDARY}--\r\n`].map((piece) => Buffer.from(piece as string)));
}

export const FORM_HEADERS = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };

/** Posts a form. */
export const postForm = (http: HttpClient, form: Buffer, headers = {}): Promise<HttpAnswer<WireFile>> =>
  http.post<WireFile>('/files', form, { headers: { ...FORM_HEADERS, ...headers } });

/** Stores a file; fails unless that works. */
export async function upload(http: HttpClient, bytes: Buffer | string, filename = 'file.bin'): Promise<WireFile> {
  const answer = await postForm(http, formOf({ filename, bytes }));
  if (answer.status !== 201) throw new Error(`Storing a file gave ${answer.outcome}: ${answer.text}`);
  return answer.body;
}
