/** How long the simulated WhatsApp and WAHA take for things, all in milliseconds. */
export interface SimulatorTiming {
  /** From `start` to the first QR code, or to WORKING for a paired session. */
  start: number;
  /** From the scan to WORKING. */
  pair: number;
  /** From a send to its ack SERVER; the acks of a message keep their order whatever the numbers say. */
  ackServer: number;
  /** From a send to its ack DEVICE. */
  ackDevice: number;
  /** From a send to its ack READ. */
  ackRead: number;
  /** How long WAHA waits before its 422 when the session does not run. */
  statusWaitStopped: number;
  /** How long WAHA waits before its 422 when the session runs in another status. */
  statusWaitNotReady: number;
  /** Life of the first QR code of a start. */
  qrFirst: number;
  /** Life of each later QR code. */
  qrNext: number;
  /** How long a lost connection stays lost; also how soon WEBJS restarts a FAILED session. */
  reconnect: number;
}

/** Feels natural to a person who tries the product; the waits and the QR times are WAHA's own. */
export const DEFAULT_TIMING: SimulatorTiming = {
  start: 800,
  pair: 1500,
  ackServer: 150,
  ackDevice: 600,
  ackRead: 2500,
  statusWaitStopped: 5000,
  statusWaitNotReady: 10_000,
  qrFirst: 60_000,
  qrNext: 20_000,
  reconnect: 2000,
};
