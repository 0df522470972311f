import { maxLength } from 'class-validator';
import { CommonErrors } from '../../common/common.errors';
import { MAX_CAPTION_CHARACTERS } from '../../common/message-text';

/** What the file of a template is sent as. A voice message has no words, and a template is nothing without. */
export const TEMPLATE_MEDIA_TYPES = ['image', 'file', 'video'] as const;
export type TemplateMediaType = (typeof TEMPLATE_MEDIA_TYPES)[number];

/** The file of a template: where it is fetched from for each message. */
export interface TemplateMedia {
  type: TemplateMediaType;
  url: string;
  filename?: string;
}

/** @throws VALIDATION_FAILED of that field where the text is too long to be the caption of a file */
export function assertCaption(text: string, field: 'text' | 'variables'): void {
  if (maxLength(text, MAX_CAPTION_CHARACTERS)) return;
  const what = field === 'text' ? 'text' : 'the text with its variables';
  throw CommonErrors.invalidField(field, `${what} must have at most ${MAX_CAPTION_CHARACTERS} characters with media`);
}

export const sameMedia = (a: TemplateMedia | null, b: TemplateMedia | null): boolean =>
  a === b || (a?.type === b?.type && a?.url === b?.url && a?.filename === b?.filename);
