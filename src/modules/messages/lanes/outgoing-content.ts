import type { OutgoingContent } from '../../waha/waha-servers.service';
import { MEDIA_TYPES, type MediaType } from '../message-content';
import type { LaneJob } from './lane-job';

/** The message as WAHA's client takes it. @param link makes the address under which WAHA fetches its file */
export function outgoingOf(
  { type, body, content }: Pick<LaneJob, 'type' | 'body' | 'content'>,
  link: () => string,
): OutgoingContent {
  const { location, contact, poll, media } = content;
  if (media) {
    const { mime_type: mimeType, filename } = media;
    const file = { url: link(), mimeType: mimeType ?? 'application/octet-stream', filename };
    return { type: isMediaType(type) ? type : 'file', file, caption: body };
  }
  if (location) {
    const { latitude, longitude, title = null } = location;
    return { type: 'location', latitude, longitude, title };
  }
  if (contact) {
    const { full_name: fullName, phone_number: phoneNumber, organization = null } = contact;
    return { type: 'contact', fullName, phoneNumber, organization };
  }
  if (poll) return { type: 'poll', name: poll.name, options: poll.options, multiple: poll.multiple === true };
  return { type: 'text', text: body ?? '', linkPreview: content.link_preview !== false };
}

const isMediaType = (type: string): type is MediaType => (MEDIA_TYPES as readonly string[]).includes(type);
