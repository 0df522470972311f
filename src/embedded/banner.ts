import type { Config } from '../config/config';

const USERS = ['admin', 'manager', 'agent', 'auditor'];

/** One screen for a person who has just started it: where things are, who can log in, and the first message in curl. */
export function banner(config: Config, address: string, embedded: { database: boolean; waha: boolean }): string {
  const lines = ['', `  Switchboard is running at ${address}`, `  Swagger UI       ${address}/api/docs`];
  if (embedded.waha) lines.push(`  WAHA simulator   ${config.WAHA_BASE_URL} (a stand-in, not WhatsApp)`);
  if (!embedded.database) return [...lines, ''].join('\n');
  lines.push(
    `  Data             ${config.EMBEDDED_DATA_DIR}`,
    '',
    `  Log in as ${USERS.map((user) => `${user}@demo.example`).join(', ')}`,
    config.DEMO_PASSWORD === DEFAULT_PASSWORD
      ? `  with the password ${DEFAULT_PASSWORD}`
      : '  with the password of DEMO_PASSWORD',
    '',
    '  The first message:',
    ...firstMessage(config, address).map((line) => `    ${line}`),
    '',
  );
  return lines.join('\n');
}

const DEFAULT_PASSWORD = 'Demo-2026-Switchboard';

const readWith = (expression: string): string =>
  `node -pe 'JSON.parse(require("fs").readFileSync(0,"utf8")).${expression}'`;

function firstMessage(config: Config, address: string): string[] {
  const json = `-H 'content-type: application/json'`;
  return [
    `API=${address} WAHA=${config.WAHA_BASE_URL}`,
    `TOKEN=$(curl -s $API/auth/login ${json} -d '{"email":"admin@demo.example","password":"'"\${DEMO_PASSWORD:-${DEFAULT_PASSWORD}}"'"}' | ${readWith('access_token')})`,
    `AUTH="authorization: Bearer $TOKEN"`,
    `S=$(curl -s $API/waha/sessions -H "$AUTH" ${json} -d '{"name":"main"}'); NAME=$(echo $S | ${readWith('waha_name')}); ID=$(echo $S | ${readWith('id')}); sleep 2`,
    `curl -s $API/waha/sessions/$ID/qr -H "$AUTH" -H 'accept: image/png' -o qr.png`,
    `curl -s -X POST $WAHA/simulator/sessions/$NAME/scan ${json} -d '{}'; sleep 3`,
    `curl -s $API/messages/send -H "$AUTH" ${json} -d '{"to":"+44 20 7946 0958","text":"Hello"}'`,
    `curl -s -X POST $WAHA/simulator/sessions/$NAME/inbound ${json} -d '{"from":"442079460958@c.us","text":"Hi!"}'; sleep 3`,
    `curl -s $API/messages -H "$AUTH"`,
  ];
}
