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
  content: { link_preview?: boolean };
  /** The reserved id of an earlier attempt; null on the first one, and where the engine reserves none. */
  wa_id: string | null;
  attempts: number;
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
  body: string | null;
  wa_id: string | null;
  wa_id_reserved: boolean;
  attempts: number;
  attempted_at: Date;
  error_code: string;
  waha_name: string;
  server_id: string;
}
