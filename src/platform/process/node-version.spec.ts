import { nodeProblem } from './node-version';

describe('nodeProblem', () => {
  it.each(['20.20.2', '22.18.9', '18.0.0'])('refuses %s by its name', (version) => {
    expect(nodeProblem(version)).toContain(`this is ${version}.`);
  });

  it.each(['22.19.0', '23.0.0', '24.21.0', process.versions.node])('takes %s', (version) => {
    expect(nodeProblem(version)).toBeNull();
  });
});
