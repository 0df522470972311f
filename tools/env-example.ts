import { Config } from '../src/config/config';
import { variableNotes } from '../src/config/variable';
import { writeOrCheck } from './generated-file';

const HEAD = `# Every variable of the environment with its default; "cp .env.example .env" changes nothing until you edit it.
# What has no default, or is made at the first start, is commented out. The environment wins over .env.$NODE_ENV and .env.
# Made by tools/env-example.ts from src/config/config.ts.
`;

/** `.env.example`, made of the configuration's own notes and defaults. */
export function renderEnvExample(): string {
  const defaults = new Config() as unknown as Record<string, Default>;
  let group = '';
  const lines: string[] = [HEAD];
  for (const note of variableNotes()) {
    if (note.group !== group) lines.push(`# --- ${note.group} ---\n`);
    group = note.group;
    lines.push(`# ${note.meaning}`, `${assignment(note.name, defaults[note.name])}\n`);
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

type Default = string | number | boolean | string[] | undefined;

function assignment(name: string, value: Default): string {
  if (value === undefined) return `# ${name}=`;
  return `${name}=${Array.isArray(value) ? value.join(',') : value}`;
}

if (require.main === module) writeOrCheck('.env.example', renderEnvExample());
