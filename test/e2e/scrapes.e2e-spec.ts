import { setTimeout as sleep } from 'node:timers/promises';
import { SystemDatabase } from '../../src/platform/database/system-database';
import { startTestApp, type TestApp } from '../support/running-app';

/** Longer than any answer was ever remembered without regard to how long the question takes. */
const HELD_MS = 1_300;

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});

afterAll(() => app.close());

describe('anybody who scrapes', () => {
  it('costs the database one question at a time, however many they are and however long it takes', async () => {
    const run = jest.spyOn(app.app.get(SystemDatabase), 'run');
    const asked = (name: string) => run.mock.calls.filter(([statement]) => statement === name).length;
    const scrape = (path: string) => Array.from({ length: 20 }, () => app.anybody.get(path));
    const answers: Promise<{ status: number }>[] = [];
    await app.owner.query('begin; lock table messages, webhook_events in access exclusive mode');
    try {
      for (let round = 0; round < 3; round += 1) {
        answers.push(...scrape('/metrics'), ...scrape('/webhooks/health'));
        if (round < 2) await sleep(HELD_MS);
      }
      await Promise.all(scrape('/metrics')); // the last ones were heard
      expect([asked('queueDepth'), asked('eventBacklog')]).toEqual([1, 1]);
    } finally {
      await app.owner.query('commit'); // else the application could not be closed
    }
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200]));
    await Promise.all([...scrape('/metrics'), ...scrape('/webhooks/health')]);
    expect([asked('queueDepth'), asked('eventBacklog')]).toEqual([1, 1]);
  });
});
