import { newId } from '../../src/common/ids';
import type { TemplateResponse } from '../../src/modules/templates/dto/template.response';
import type { HttpClient } from './http-client';
import type { Wire } from './whatsapp';

export type WireTemplate = Wire<TemplateResponse>;

/** Makes a template over the API, of a name that no other has. */
export async function makeTemplate(http: HttpClient, text: string): Promise<WireTemplate> {
  const answer = await http.post<WireTemplate>('/templates', { name: `Template ${newId()}`, language: 'en', text });
  if (answer.status !== 201) throw new Error(`Making a template gave ${answer.outcome}: ${answer.text}`);
  return answer.body;
}
