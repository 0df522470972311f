import type { Config } from '../config/config';

const DEFAULT_PASSWORD = 'Demo-2026-Switchboard';

/** Where the process listens. */
export interface Addresses {
  api?: string | undefined;
  gateway?: string | undefined;
}

/** Which pieces this process brought along itself. */
interface Embedded {
  database: boolean;
  waha: boolean;
}

/**
 * One screen for a person who has just started it: where things are, who can log in, and the first message in curl, as in
 * README.md. Names no password but the published one.
 */
export function banner(config: Config, addresses: Addresses & { api: string }, embedded: Embedded): string {
  const { api: address } = addresses;
  const screen = [['Switchboard is running.'], indented(places(config, addresses, embedded))];
  if (embedded.database) screen.push(account(config), FIRST, indented(firstMessage(config, address, embedded)));
  return `\n${screen.map((part) => part.map((line) => `  ${line}`).join('\n')).join('\n\n')}\n`;
}

const indented = (lines: string[]): string[] => lines.map((line) => `  ${line}`);

function places(config: Config, { api, gateway }: Addresses, embedded: Embedded): string[] {
  const lines = [`API             ${api}`, `Swagger UI      ${api}/api/docs`];
  if (gateway !== undefined) lines.push(`Gateway         ${gateway}`);
  if (embedded.waha)
    lines.push(`WAHA simulator  ${config.WAHA_BASE_URL}/simulator   (a stand-in: nothing reaches WhatsApp)`);
  if (embedded.database) lines.push(`Data            ${config.EMBEDDED_DATA_DIR}`);
  return lines;
}

const isPublished = ({ DEMO_PASSWORD }: Config): boolean => DEMO_PASSWORD === DEFAULT_PASSWORD;

const account = (config: Config): string[] => [
  'Log in as  admin@demo.example    or  manager@demo.example',
  '       or  agent@demo.example    or  auditor@demo.example',
  `Password   ${isPublished(config) ? DEFAULT_PASSWORD : 'the one in DEMO_PASSWORD'}`,
];

const FIRST = ['Your first message: paste this into a second terminal (README.md explains each line).'];

function firstMessage(config: Config, address: string, embedded: Embedded): string[] {
  const password = isPublished(config) ? DEFAULT_PASSWORD : `'"$DEMO_PASSWORD"'`;
  return [
    `API=${address}${embedded.waha ? ` WAHA=${config.WAHA_BASE_URL}` : ''}`,
    `call() { curl -s -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' "$@"; }`,
    `field() { node -pe "JSON.parse(require('fs').readFileSync(0)).$1"; }`,
    `LOGIN='{"email":"admin@demo.example","password":"${password}"}'`,
    `TOKEN=$(call $API/auth/login -d "$LOGIN" | field access_token)`,
    `ID=$(call $API/waha/sessions -d '{"name":"Main shop"}' | field id)`,
    `sleep 1; call $API/waha/sessions/$ID/qr -H 'accept: image/png' -o qr.png`,
    ...(embedded.waha ? SIMULATED : SCANNED_BY_HAND),
  ];
}

const SEND = `M=$(call $API/messages/send -d '{"to":"+44 20 7946 0958","text":"Your order is ready."}' | field id)`;
const HISTORY = `sleep 6; call $API/messages/$M/events | field 'map(event => event.status).join(" → ")'`;

const SIMULATED = [
  `NAME=$(call $API/waha/sessions/$ID | field waha_name)`,
  `call $WAHA/simulator/sessions/$NAME/scan -d '{}'`,
  SEND,
  HISTORY,
  `call $WAHA/simulator/sessions/$NAME/inbound -d '{"from":"442079460958@c.us","text":"On my way"}'`,
  `sleep 1; call "$API/messages?direction=inbound" | field 'at(0).text'`,
];

/** With a WAHA of one's own a person scans, and what is sent reaches somebody. */
const SCANNED_BY_HAND = [
  `echo 'Scan qr.png with WhatsApp (Linked devices), then send as README.md shows, to a number of yours'`,
];
