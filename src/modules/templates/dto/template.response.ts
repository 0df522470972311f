import { ApiProperty } from '@nestjs/swagger';
import type { TemplateMedia } from '../template-media';
import { parseTemplate } from '../template-text';
import type { TemplateRow } from '../templates.repository';
import { TemplateMediaDto } from './template.dto';

/** A named text in one language, with variables. */
export class TemplateResponse {
  id: string;
  name: string;
  /** BCP 47, in its canonical spelling. @example "pt-BR" */
  language: string;
  text: string;
  /** The file that it is the caption of; null where there is none. */
  @ApiProperty({ type: TemplateMediaDto, nullable: true })
  media: TemplateMediaDto | null;
  /** The variables of the text, in the order in which they first occur: a message must bring a value for each. */
  variables: string[];
  created_at: Date;
  updated_at: Date;
}

/** Lists each field by hand: a new column stays private until somebody adds it. */
export const templateResponse = (row: TemplateRow): TemplateResponse => ({
  id: row.id,
  name: row.name,
  language: row.language,
  text: row.body,
  media: mediaResponse(row.media),
  variables: [...parseTemplate(row.body).variables],
  created_at: row.created_at,
  updated_at: row.updated_at,
});

const mediaResponse = (media: TemplateMedia | null): TemplateMediaDto | null =>
  media && { type: media.type, url: media.url, ...(media.filename === undefined ? {} : { filename: media.filename }) };
