import type { ContentDraft, MessageMedia } from '../message-content';

/** What is stored of a message beside its text. */
export interface JobContent extends Omit<ContentDraft, 'text' | 'media'> {
  /** Stored by the time that a lane gives the message. */
  media?: MessageMedia;
  link_preview?: boolean;
  /** The serialized id of the message that it answers. */
  quoted?: string;
  /** The template that its text was taken from, which may be another by now, or gone. */
  template_id?: string;
}

/** A message that a lane gave to this worker. */
export interface LaneJob {
  tenant_id: string;
  session_id: string;
  waha_name: string;
  server_id: string;
  id: string;
  chat: string;
  type: string;
  body: string | null;
  content: JobContent;
  /** The reserved id of an earlier attempt; null on the first one, and where the engine reserves none. */
  wa_id: string | null;
  /** Attempts that count towards the limit. */
  burned: number;
  /** Whether its session has never heard of the chat, or written to it. */
  is_new: boolean;
  /** How often in a row this lane had to wait for its server. */
  strikes: number;
  /** Fencing number of the lease (bigint as text). */
  epoch: string;
}

/** An attempt whose outcome is not known. */
export interface UnsettledAttempt {
  tenant_id: string;
  id: string;
  chat: string;
  type: string;
  body: string | null;
  wa_id: string | null;
  wa_id_reserved: boolean;
  /** Number of this attempt. */
  attempts: number;
  /** Attempts that count towards the limit, this one included. */
  burned: number;
  attempted_at: Date;
  /** How long ago that was by the database's clock, whose time it is. */
  age_ms: number;
  /** How long its outcome has been on record as unknown, by the same clock: by then the call had ended, or its worker was lost. */
  doubt_ms: number;
  error_code: string;
  /** Whether WAHA has lost since what it knew: that it does not know the message proves nothing. */
  forgotten: boolean;
  waha_name: string;
  server_id: string;
}
