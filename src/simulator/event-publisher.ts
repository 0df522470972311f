import { wantsEvent, type EventName } from './event-names';
import { eventId } from './ids';
import type { Session } from './session';
import { environmentOf, type Settings } from './settings';
import type { WebhookSender } from './webhook-sender';

/** Turns what happens in a session into WAHA's envelopes and hands them to the session's webhooks. */
export class EventPublisher {
  constructor(
    private readonly settings: Settings,
    private readonly webhooks: WebhookSender,
  ) {}

  /**
   * Publishes one happening. All its names share one event id and timestamp: WAHA's `message` and `message.any` of one
   * message do.
   */
  publish(session: Session, names: readonly EventName[], payload: unknown): void {
    const timestampMs = Date.now();
    const id = eventId(timestampMs);
    for (const name of names) {
      let body: string | undefined;
      for (const webhook of session.config?.webhooks ?? []) {
        if (!wantsEvent(webhook.events, name)) continue;
        body ??= JSON.stringify({
          id,
          timestamp: timestampMs,
          event: name,
          session: session.name,
          metadata: session.config?.metadata ?? undefined,
          me: session.me,
          payload,
          engine: this.settings.engine,
          environment: environmentOf(this.settings),
        });
        this.webhooks.post(webhook, body, timestampMs);
      }
    }
  }
}
