import type { FileKind } from '../../../platform/storage/file-kind';
import type { MediaType } from '../message-content';

const MAX_NAME_LENGTH = 255;

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
