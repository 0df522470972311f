import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PERMISSIONS, PERSONAL_PERMISSIONS, type Permission, roleMay, ROLES } from '../src/common/permissions';
import { writeOrCheck } from './generated-file';

const HEAD = `# Roles

Who may call what. A user has exactly one role; an API key has a role, or permissions of its own (scopes). What is marked with ° is
a person's own: no API key and no platform administrator holds it. \`PLATFORM_ADMIN\` (\`ADMIN_API_KEY\`) acts inside a tenant only
with \`X-Tenant-ID\`, and each such request is in that tenant's audit trail. Everything else needs no permission: see
[the OpenAPI document](openapi.json). Whose object it is, is asked after the permission: an \`AGENT\` reads its own messages, and
\`AGENT\` and \`MANAGER\` their own audit records.

A key with scopes needs a second permission for what it could else get at in a roundabout way: \`files:read\` wherever it names a file
(\`media.file_id\` of messages and campaigns, \`image_file_id\` of products but where that is the picture already, \`POST /files/{id}/link\`), \`customers:read\` for an audience of
customers. Every role that may the first has the second.

This page is made of \`src/common/permissions.ts\` and \`docs/openapi.json\` by \`tools/roles-page.ts\`; the guard and the tests read
the same table.
`;

interface Document {
  paths: Record<string, Record<string, { 'x-permission'?: Permission }>>;
}

/** `docs/ROLES.md`, made of the one role table and of the routes that name its permissions. */
export function renderRolesPage(document: Document): string {
  const rows = (Object.keys(PERMISSIONS) as Permission[]).map((permission) => [
    `\`${permission}\`${PERSONAL_PERMISSIONS.includes(permission) ? '°' : ''}`,
    ...ROLES.map((role) => (roleMay(role, permission) ? '✓' : '')),
    routesOf(document, permission).join('<br>'),
  ]);
  return `${HEAD}\n${tableOf(['Permission', ...ROLES.map((role) => `\`${role}\``), 'Routes'], rows)}\n`;
}

function routesOf({ paths }: Document, permission: Permission): string[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, operation]) => operation['x-permission'] === permission)
      .map(([method]) => `\`${method.toUpperCase()} ${path}\``),
  );
}

function tableOf(heads: string[], rows: string[][]): string {
  const widths = heads.map((_head, column) =>
    Math.max(3, ...[heads, ...rows].map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(heads), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

if (require.main === module) {
  const document = JSON.parse(readFileSync(join(__dirname, '../docs/openapi.json'), 'utf8')) as Document;
  writeOrCheck('docs/ROLES.md', renderRolesPage(document));
}
