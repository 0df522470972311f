import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'dotenv';
import { Config } from '../../src/config/config';
import { loadConfig } from '../../src/config/load-config';
import { variableNotes } from '../../src/config/variable';
import { renderEnvExample } from '../../tools/env-example';

const text = readFileSync(path.join(__dirname, '../../.env.example'), 'utf8');

describe('.env.example', () => {
  it('is what the configuration says (node -r @swc-node/register tools/env-example.ts)', () => {
    expect(text).toBe(renderEnvExample());
  });

  it('changes nothing when it is copied to .env', () => {
    expect(loadConfig(parse(text))).toEqual(loadConfig({}));
  });

  it('leaves the database to whoever has one', () => {
    expect(parse(text)).not.toHaveProperty('DATABASE_URL');
    expect(text).toMatch(/^# DATABASE_URL=/m);
  });

  it('names every variable that the configuration has a default for', () => {
    const named = variableNotes().map(({ name }) => name);
    expect(Object.keys(new Config()).filter((name) => !named.includes(name))).toEqual([]);
    expect(named.filter((name) => !new RegExp(`^(# )?${name}=`, 'm').test(text))).toEqual([]);
  });
});
