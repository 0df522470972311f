import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { serve } from '../told.mjs';

const require = createRequire(import.meta.url);

/** Its files are JSON, which is YAML too: no key is asked for, and one policy, `proxy`. */
function writeConfig(folder, upstream, port) {
  mkdirSync(folder, { recursive: true });
  cpSync(path.join(path.dirname(require.resolve('express-gateway')), 'config/models'), path.join(folder, 'models'), {
    recursive: true,
  });
  const gateway = {
    http: { port, hostname: '127.0.0.1' },
    apiEndpoints: { all: { host: '*', paths: ['/*'] } },
    serviceEndpoints: { upstream: { url: upstream } },
    policies: ['proxy'],
    pipelines: {
      bench: {
        apiEndpoints: ['all'],
        policies: [{ proxy: [{ action: { serviceEndpoint: 'upstream', changeOrigin: true, xfwd: true } }] }],
      },
    },
  };
  const system = {
    db: { redis: { emulate: true, namespace: 'EG' } },
    crypto: { cipherKey: 'onlyForTheBench', algorithm: 'aes256', saltRounds: 4 },
    session: { secret: 'onlyForTheBench', resave: false, saveUninitialized: false },
    accessTokens: { timeToExpiry: 7_200_000 },
    refreshTokens: { timeToExpiry: 7_200_000 },
    authorizationCodes: { timeToExpiry: 300_000 },
  };
  writeFileSync(path.join(folder, 'gateway.config.yml'), JSON.stringify(gateway));
  writeFileSync(path.join(folder, 'system.config.yml'), JSON.stringify(system));
}

serve(async ({ upstream, folder, port }) => {
  process.env.LOG_LEVEL = 'error';
  writeConfig(folder, upstream, port);
  await require('express-gateway')().load(folder).run();
  return port;
});
