import { isUtf8 } from 'node:buffer';
import { Transform } from 'node:stream';
import { fileTypeFromBuffer } from 'file-type';

/** So many bytes of the beginning say what a file is. */
const HEAD_BYTES = 65_536;

/** What a file is. */
export interface FileKind {
  mimeType: string;
  /** Without the dot. */
  extension: string;
}

/** What a file is, by its bytes alone: nobody's word is taken for it. */
export async function fileKindOf(head: Buffer): Promise<FileKind> {
  // What cannot be read to its end there, is not known.
  const found = await fileTypeFromBuffer(head).catch(() => undefined);
  if (found) return { mimeType: found.mime, extension: found.ext };
  // A character may be cut in two at the end of the head.
  const text = !head.includes(0) && [0, 1, 2, 3].some((cut) => isUtf8(head.subarray(0, head.length - cut)));
  return text
    ? { mimeType: 'text/plain', extension: 'txt' }
    : { mimeType: 'application/octet-stream', extension: 'bin' };
}

/** Lets everything pass and remembers how it began. */
export class FileHead extends Transform {
  private readonly parts: Buffer[] = [];
  private length = 0;

  /** As much of the beginning as tells what the file is. */
  get head(): Buffer {
    return Buffer.concat(this.parts);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: Error | null, data?: Buffer) => void) {
    if (this.length < HEAD_BYTES) {
      const part = Buffer.from(chunk.subarray(0, HEAD_BYTES - this.length));
      this.parts.push(part);
      this.length += part.length;
    }
    done(null, chunk);
  }
}
