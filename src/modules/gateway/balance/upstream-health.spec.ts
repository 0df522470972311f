import { EJECTING_FAILURES, type Fault, STANDING, UpstreamHealth } from './upstream-health';

/** In the middle of the jitter. */
const NO_JITTER = () => 0.5;

describe('UpstreamHealth', () => {
  let nowMs = 0;
  let health: UpstreamHealth;
  beforeEach(() => {
    nowMs = 1_000_000;
    health = new UpstreamHealth(() => nowMs, NO_JITTER);
  });

  const standing = () => health.standing(nowMs);
  const fail = (fault: Fault, times = 1) => {
    for (let i = 0; i < times; i += 1) {
      const trial = health.begin();
      health.failed(trial, fault);
      health.ended(trial);
    }
  };
  const succeed = () => {
    const trial = health.begin();
    health.succeeded(trial);
    health.ended(trial);
  };
  const pauseMs = () => (health.avoided()?.untilMs ?? nowMs) - nowMs;

  it('ejects after five bad answers in a row, and not after four and a good one', () => {
    fail('status', EJECTING_FAILURES - 1);
    succeed();
    fail('status', EJECTING_FAILURES - 1);
    expect(standing()).toBe(STANDING.open);
    fail('status');
    expect(standing()).toBe(STANDING.closed);
    expect(health.failuresInARow).toBe(EJECTING_FAILURES);
  });

  it('pauses longer each time, up to five minutes, and by chance a tenth more or less', () => {
    fail('status', EJECTING_FAILURES);
    const pauses = [];
    for (let i = 0; i < 8; i += 1) {
      pauses.push(pauseMs());
      nowMs += pauseMs();
      expect(standing()).toBe(STANDING.open);
      fail('status');
      expect(standing()).toBe(STANDING.closed);
    }
    expect(pauses).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
    for (const [chance, expected] of [
      [0, 9_000],
      [1, 11_000],
    ] as const) {
      health = new UpstreamHealth(
        () => nowMs,
        () => chance,
      );
      fail('status', EJECTING_FAILURES);
      expect(Math.round(pauseMs())).toBe(expected);
    }
  });

  it('lets one request at a time find out after the pause, and the next one where that had no outcome', () => {
    fail('status', EJECTING_FAILURES);
    nowMs += pauseMs();
    const probe = health.begin();
    expect(probe.probe).toBe(true);
    expect(standing()).toBe(STANDING.closed);
    health.ended(probe);
    expect(standing()).toBe(STANDING.open);
    const next = health.begin();
    expect(next.probe).toBe(true);
    health.succeeded(next);
    health.ended(next);
    expect(standing()).toBe(STANDING.open);
    expect(health.isWell).toBe(true);
    expect(health.failuresInARow).toBe(0);
  });

  it('waits ten seconds for the one that finds out, then lets another, and still goes by the first one', () => {
    fail('status', EJECTING_FAILURES);
    nowMs += pauseMs();
    const slow = health.begin();
    nowMs += 9_999;
    expect(health.begin().probe).toBe(false);
    expect(standing()).toBe(STANDING.closed);
    nowMs += 1;
    expect([standing(), health.probing]).toEqual([STANDING.open, false]);
    const next = health.begin();
    expect(next.probe).toBe(true);
    health.ended(slow);
    expect(standing()).toBe(STANDING.closed); // the second one is still finding out
    health.succeeded(slow);
    expect(health.isWell).toBe(true);
  });

  it('goes by no answer to what was asked before it was ejected', () => {
    const early = health.begin();
    fail('status', EJECTING_FAILURES);
    const until = health.avoided()?.untilMs;
    health.succeeded(early);
    expect(standing()).toBe(STANDING.closed);
    nowMs += 5_000;
    const late = { ...early };
    health.failed(late, 'status');
    expect(health.avoided()?.untilMs).toBe(until);
  });

  it('forgets slowly: a minute of health takes one doubling back', () => {
    fail('status', EJECTING_FAILURES);
    for (let i = 0; i < 3; i += 1) {
      nowMs += pauseMs();
      fail('status');
    }
    nowMs += pauseMs();
    succeed();
    fail('status', EJECTING_FAILURES);
    expect(pauseMs()).toBe(160_000);
    nowMs += pauseMs();
    succeed();
    nowMs += 120_000;
    fail('status', EJECTING_FAILURES);
    expect(pauseMs()).toBe(80_000);
  });

  it.each<Fault>(['unreachable', 'refused', 'timeout'])(
    'suspects after one that was %s, and ejects after five',
    (fault) => {
      fail(fault);
      expect(standing()).toBe(STANDING.suspect);
      expect(pauseMs()).toBe(1_000);
      fail(fault, EJECTING_FAILURES - 1);
      expect(standing()).toBe(STANDING.closed);
      expect(pauseMs()).toBe(fault === 'timeout' ? 10_000 : 1_000);
    },
  );

  it.each<Fault>(['status', 'broken'])('does not suspect after one that was %s', (fault) => {
    fail(fault);
    expect(standing()).toBe(STANDING.open);
  });

  it('does not suspect what has answered others meanwhile', () => {
    const slow = health.begin();
    succeed();
    health.failed(slow, 'timeout');
    expect(standing()).toBe(STANDING.open);
    expect(health.failuresInARow).toBe(1);
  });

  it('asks for a connection before a request where it could not be reached, with pauses up to 30 s', () => {
    fail('unreachable');
    const pauses = [];
    for (let i = 0; i < 7; i += 1) {
      pauses.push(pauseMs());
      nowMs += pauseMs();
      expect(standing()).toBe(STANDING.unchecked);
      health.reached(false);
      expect(standing()).toBe(STANDING.suspect);
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    nowMs += pauseMs();
    health.reached(true);
    expect(standing()).toBe(STANDING.open);
    expect(health.isWell).toBe(false);
    succeed();
    expect(health.isWell).toBe(true);
  });

  it('counts an answer that broke off as a failure, though its head was good', () => {
    for (let i = 0; i < EJECTING_FAILURES; i += 1) {
      const trial = health.begin();
      const ended = health.succeeded(trial);
      health.failed(trial, 'broken', ended);
      health.ended(trial);
    }
    expect(standing()).toBe(STANDING.closed);
  });
});
