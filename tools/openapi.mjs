// Writes docs/openapi.json from the built application; with --check only says whether it is up to date. Nothing is
// connected: Nest's preview knows the routes without making a single provider.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

const require = createRequire(import.meta.url);
const dist = fileURLToPath(new URL('../dist/src/', import.meta.url));
const target = fileURLToPath(new URL('../docs/openapi.json', import.meta.url));

if (!existsSync(`${dist}app.module.js`)) {
  console.error('dist is missing: npm run build');
  process.exit(1);
}

const { AppModule } = require(`${dist}app.module.js`);
const { loadConfig } = require(`${dist}config/load-config.js`);
const { buildDocument } = require(`${dist}platform/http/openapi.js`);

const config = loadConfig({
  DATABASE_URL: 'postgres://nobody@localhost/none',
  DATA_ENCRYPTION_KEY: Buffer.alloc(32).toString('base64'),
  JWT_SECRET: 'x'.repeat(32),
});
const app = await NestFactory.create(AppModule.forRoot(config, []), new FastifyAdapter(), {
  preview: true,
  logger: false,
  abortOnError: false,
});
const text = `${JSON.stringify(buildDocument(app), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
  console.log('docs/openapi.json written');
} else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
  console.error('docs/openapi.json is not what the application says: npm run openapi');
  process.exit(1);
} else console.log('docs/openapi.json is up to date');
process.exit(0);
