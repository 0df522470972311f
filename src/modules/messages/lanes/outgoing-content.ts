import type { OutgoingContent } from '../../waha/waha-servers.service';
import type { LaneJob } from './lane-job';

/** The message as WAHA's client takes it. */
export function outgoingOf({ body, content }: Pick<LaneJob, 'body' | 'content'>): OutgoingContent {
  const { location, contact, poll } = content;
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
