import { createServer } from 'node:http';
import { asksBeforeUpgrades, nodeProblem } from './node-version';

describe('nodeProblem', () => {
  it.each(['20.20.2', '22.18.9', '18.0.0'])('refuses %s by its name', (version) => {
    expect(nodeProblem(version)).toContain(`this is ${version}.`);
  });

  it.each(['22.19.0', '23.0.0', '24.21.0', process.versions.node])('takes %s', (version) => {
    expect(nodeProblem(version)).toBeNull();
  });
});

describe('asksBeforeUpgrades', () => {
  it.each([
    ['22.21.0', false],
    ['24.8.9', false],
    ['24.9.0', true],
    ['24.10.1', true],
    ['25.0.0', true],
    [process.versions.node, 'shouldUpgradeCallback' in createServer()],
  ])('is, of %s, %s', (version, asks) => {
    expect(asksBeforeUpgrades(version)).toBe(asks);
  });
});
