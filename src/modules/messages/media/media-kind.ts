import { isUtf8 } from 'node:buffer';
import { fileTypeFromBuffer } from 'file-type';
import type { MediaType } from '../message-content';

/** So many bytes of the beginning say what a file is. */
export const HEAD_BYTES = 65_536;
const MAX_NAME_LENGTH = 255;

/** What WAHA is told that a file is. */
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

/** Browsers record voices as WebM or MP4 whose kind is that of a film. */
const VOICES = /^(?:audio\/|application\/ogg|video\/(?:ogg|webm|mp4)(?:;|$))/;
const KINDS: Record<MediaType, RegExp> = {
  image: /^image\/(?:jpeg|png|webp|gif)$/,
  voice: VOICES,
  video: /^video\//,
  file: /^/,
};

/** Whether WhatsApp shows such a file as this kind of message. */
export const isSentAs = (type: MediaType, mimeType: string): boolean => KINDS[type].test(mimeType);

/** The file's name: the one given, else the last part of its address, else one of its kind. */
export function fileNameOf(given: string | null, address: string, { extension }: FileKind): string {
  return given ?? nameIn(address) ?? `file.${extension}`;
}

function nameIn(address: string): string | null {
  try {
    const name = decodeURIComponent(new URL(address).pathname.split('/').at(-1) ?? '');
    const usable = name.includes('.') && name.length <= MAX_NAME_LENGTH && !/[\p{Cc}/\\]/u.test(name);
    return usable ? name.toWellFormed() : null;
  } catch {
    return null; // no encoding of anything
  }
}
