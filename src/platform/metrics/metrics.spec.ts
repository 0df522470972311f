import { Metrics } from './metrics';
import { toOpenMetrics, wantsOpenMetrics } from './open-metrics';

describe('Metrics', () => {
  it('reads observed values when it is asked for them, and hides what has none', async () => {
    const metrics = new Metrics();
    let readings: { labels?: Record<string, string>; value: number }[] = [{ labels: { lane: 'a' }, value: 1 }];
    metrics.observe({ name: 'depth', help: 'h', labelNames: ['lane'], read: () => readings });
    metrics.observeTotal({ name: 'seen_total', help: 'h', read: () => [{ value: 7 }] });
    expect(await metrics.render('prometheus')).toMatch(/depth\{lane="a"\} 1\n[^]*seen_total 7\n/);
    readings = [];
    const later = await metrics.render('prometheus');
    expect(later).not.toContain('depth{');
    expect(later).toContain('seen_total 7\n');
  });

  it('counts, sets and times', async () => {
    const metrics = new Metrics();
    metrics.counter({ name: 'done_total', help: 'h', labelNames: ['how'] }).inc({ how: 'well' });
    metrics.gauge({ name: 'level', help: 'h' }).set(3);
    metrics.histogram({ name: 'took_seconds', help: 'h', buckets: [0.1, 1] }).observe(0.5);
    const text = await metrics.render('prometheus');
    for (const line of ['done_total{how="well"} 1', 'level 3', 'took_seconds_bucket{le="1"} 1'])
      expect(text).toContain(`${line}\n`);
    expect(await metrics.valueOf('level')).toBe(3);
    expect(await metrics.valueOf('nowhere')).toBeUndefined();
  });
});

describe('toOpenMetrics', () => {
  it('names counter families without _total, and marks the end', () => {
    const text = '# HELP a_total of a_total\n# TYPE a_total counter\na_total 1\n\n# HELP b h\n# TYPE b gauge\nb 2\n';
    expect(toOpenMetrics(text)).toBe(
      '# HELP a of a_total\n# TYPE a counter\na_total 1\n# HELP b h\n# TYPE b gauge\nb 2\n# EOF\n',
    );
  });
});

describe('wantsOpenMetrics', () => {
  it.each([
    [
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5',
      true,
    ],
    ['application/openmetrics-text', true],
    ['text/plain, application/openmetrics-text;q=0.5', false],
    ['application/openmetrics-text;q=0', false],
    ['*/*', false],
    [undefined, false],
  ])('takes %s for %s', (accept, wanted) => {
    expect(wantsOpenMetrics(accept)).toBe(wanted);
  });
});
