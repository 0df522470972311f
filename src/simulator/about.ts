import type { EngineName } from './settings';

/** What the simulator says of itself. */
export const NOTICE = 'This is a stand-in for WAHA, not WhatsApp: nothing that is sent here reaches anybody.';

/** The endpoints of the simulator itself, which need no key. */
export const ENDPOINTS: Readonly<Record<string, string>> = {
  'GET /simulator': 'this page',
  'POST /simulator/sessions/:name/scan': '{phone?, push_name?}: the phone scans the QR code, WORKING follows',
  'POST /simulator/sessions/:name/inbound':
    '{from, text, id?, lid?, participant?, push_name?, media?: {mimetype, data, filename?}}: somebody writes',
  'POST /simulator/sessions/:name/person':
    '{phone, lid?, written?}: WAHA learns whose the hidden id is, and that the number is written in another way too',
  'POST /simulator/sessions/:name/phone-send': '{to, text}: the owner writes on the phone',
  'POST /simulator/sessions/:name/ack': '{id, ack}: an ack of a stored message, -1 to 4',
  'POST /simulator/sessions/:name/edit': '{id, text}: its author edits a stored message',
  'POST /simulator/sessions/:name/revoke':
    '{id, from_me?, participant?}: its author takes a stored message back, or whoever is named',
  'POST /simulator/sessions/:name/react':
    '{id, emoji, from_me?, participant?}: the other side reacts, or whoever is named; an empty emoji takes it back',
  'POST /simulator/sessions/:name/event': '{event, payload}: any event of WAHA',
  'POST /simulator/sessions/:name/logout-from-phone': 'the phone removes the device: FAILED',
  'POST /simulator/sessions/:name/fail': '{times?}: FAILED, and so are the starts after it, as often in all',
  'POST /simulator/sessions/:name/deaf': '{starts?}: acks and inbound messages are lost until it has started so often',
  'POST /simulator/sessions/:name/disconnect': '{for_ms?}: STARTING for that long',
  'GET /simulator/sends': '?session=&after=: every send that reached WhatsApp, in order',
  'DELETE /simulator/sends': 'forgets them',
  'GET /simulator/webhooks': 'what became of the webhooks',
  'GET /simulator/faults': 'the faults in force',
  'PUT /simulator/faults':
    '{latency_ms, error_rate, error_after_send_rate, timeout_after_send_rate, hang, send_error, send_error_scope, ack_lose_rate, unknown_numbers, seed, webhooks: {lose_rate, double_rate, reorder_rate, delay_ms, paused}}',
  'DELETE /simulator/faults': 'ends all faults',
  'POST /simulator/restart': '{down_ms?}: a crash of WAHA, undelivered webhooks are lost',
  'POST /simulator/forget': 'WAHA forgets all its sessions',
};

/** The page for a browser. */
export function aboutPage(engine: EngineName, version: string): string {
  const rows = Object.entries(ENDPOINTS).map(([call, what]) => `<dt><code>${call}</code></dt><dd>${what}</dd>`);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>WAHA simulator</title></head><body>
<h1>WAHA simulator</h1><p>${NOTICE}</p><p>It answers as WAHA ${version} with ${engine}.</p><dl>${rows.join('\n')}</dl></body></html>`;
}
