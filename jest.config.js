const fs = require('node:fs');
const path = require('node:path');

// NestJS 12 ships ESM only. Jest can require() it natively only under --experimental-vm-modules (Node >= 24.9), which
// switches off V8's compilation cache and doubles the run time; compiling those packages to CommonJS once (cached on
// disk) is faster and also works on Node 20. The list is read from node_modules, so a new ESM dependency needs no edit.
const modules = path.join(__dirname, 'node_modules');
const esm = fs
  .readdirSync(modules)
  .flatMap((d) => (d.startsWith('@') ? fs.readdirSync(path.join(modules, d)).map((s) => `${d}/${s}`) : [d]))
  .filter((d) => {
    try {
      return JSON.parse(fs.readFileSync(path.join(modules, d, 'package.json'), 'utf8')).type === 'module';
    } catch {
      return false;
    }
  });

// A look at a global costs a module of Jest's sandbox 0.2 µs, and twenty times less at one that its wrapper hands it. Only what
// nobody replaces in a test (as some do with Date and timers), and what no package declares anew at its top (as some do with
// Promise and Buffer).
const INJECTED = ['Array', 'Error', 'JSON', 'Map', 'Math', 'Number', 'Object', 'Reflect', 'Set', 'String', 'Symbol'];

/** @type {import('jest').Config} */
module.exports = {
  rootDir: '.',
  roots: ['<rootDir>/src', '<rootDir>/test'],
  modulePathIgnorePatterns: ['<rootDir>/test/bench/gateway/peers/'], // packages of their own, of the bench alone
  testRegex: '\\.(spec|e2e-spec)\\.ts$',
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json'],
  transform: {
    '^.+\\.ts$': ['@swc/jest'],
    '/node_modules/.+\\.m?js$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: false,
        jsc: { target: 'es2024', parser: { syntax: 'ecmascript' } },
        module: { type: 'commonjs' },
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esm.join('|')})/)`],
  testEnvironment: '<rootDir>/test/support/environment.js',
  sandboxInjectedGlobals: INJECTED,
  testSequencer: '<rootDir>/test/support/longest-first.js',
  maxWorkers: 2,
  // A worker of several gigabytes spends its time on collecting garbage.
  workerIdleMemoryLimit: '1GB',
  // One that has hundreds of megabytes to give back takes its time on a busy machine, and holds nothing open for that.
  workerGracefulExitTimeout: 10_000,
  testTimeout: 30_000,
  globalSetup: '<rootDir>/test/support/global-setup.js',
  globalTeardown: '<rootDir>/test/support/global-teardown.js',
};
