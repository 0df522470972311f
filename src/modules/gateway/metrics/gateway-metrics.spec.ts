import { newId } from '../../../common/ids';
import { Config } from '../../../config/config';
import { Metrics } from '../../../platform/metrics/metrics';
import { tableRoute } from '../../../../test/support/gateway-routes';
import type { EndedExchange } from '../proxy/parts';
import { GatewayMetrics } from './gateway-metrics';

const exchange = (fields: Partial<EndedExchange> = {}): EndedExchange => ({
  ...{
    actor: null,
    tenantId: newId(),
    route: tableRoute(),
    requestId: newId(),
    method: 'GET',
    status: 200,
    totalMs: 12,
  },
  ...{ upstreamMs: 7, attempts: 1, address: '127.0.0.1', userAgent: undefined, keyHit: true, tableHit: true },
  ...fields,
});

describe('GatewayMetrics', () => {
  let registry: Metrics;

  const metricsWith = (apart: boolean): GatewayMetrics => {
    registry = new Metrics();
    const config = new Config();
    config.METRICS_TENANT_LABELS = apart;
    const metrics = new GatewayMetrics(registry, config);
    metrics.onModuleInit();
    return metrics;
  };
  /** Labels and value of each series of that name. */
  const seriesOf = async (name: string): Promise<Map<string, number>> => {
    const lines = (await registry.render('prometheus')).split('\n');
    const found = lines.filter((line) => line.startsWith(`switchboard_gateway_${name}{`));
    return new Map(
      found.map((line) => [line.slice(line.indexOf('{'), line.indexOf('} ') + 1), Number(line.split('} ')[1])]),
    );
  };

  it('counts all together unless told otherwise', async () => {
    const metrics = metricsWith(false);
    for (let n = 0; n < 3; n += 1) metrics.ended(exchange());
    metrics.ended(exchange({ status: 499, upstreamMs: null }));
    metrics.ended(exchange({ tenantId: null, route: null, status: 401, upstreamMs: null, attempts: 0 }));
    expect(Object.fromEntries(await seriesOf('requests_total'))).toEqual({
      '{tenant="all",route="all",status="200"}': 3,
      '{tenant="all",route="all",status="499"}': 1,
      '{tenant="all",route="all",status="401"}': 1,
    });
    expect([...(await seriesOf('request_duration_seconds_count'))]).toEqual([['{tenant="all",route="all"}', 5]]);
    expect([...(await seriesOf('upstream_duration_seconds_count'))]).toEqual([['{tenant="all",route="all"}', 3]]);
  });

  it('tells tenants and routes apart by their ids where it is told to', async () => {
    const metrics = metricsWith(true);
    const [one, other] = [exchange({ attempts: 3 }), exchange()];
    for (const each of [one, one, other, { ...one, status: 499, upstreamMs: null, attempts: 1 }]) metrics.ended(each);
    metrics.ended({ ...one, route: null, status: 404, upstreamMs: null, attempts: 0 });
    metrics.ended({ ...one, tenantId: null, route: null, status: 401, upstreamMs: null, attempts: 0 });
    const [first, second] = [one, other].map(({ tenantId, route }) => `tenant="${tenantId}",route="${route?.id}"`);
    expect(Object.fromEntries(await seriesOf('requests_total'))).toEqual({
      [`{${first},status="200"}`]: 2,
      [`{${first},status="499"}`]: 1,
      [`{${second},status="200"}`]: 1,
      [`{tenant="${one.tenantId}",route="none",status="404"}`]: 1,
      '{tenant="none",route="none",status="401"}': 1,
    });
    const retries = await seriesOf('retries_total');
    expect([retries.get(`{${first}}`), retries.get(`{${second}}`)]).toEqual([4, 0]);
    const upstream = await seriesOf('upstream_duration_seconds_count');
    expect([upstream.get(`{${first}}`), upstream.get(`{${second}}`)]).toEqual([2, 1]);
  });

  it('keeps a thousand of them apart, and counts what comes after those together', async () => {
    const metrics = metricsWith(true);
    const known = Array.from({ length: 1_000 }, () => exchange());
    for (const each of known) metrics.ended(each);
    for (let n = 0; n < 250; n += 1) metrics.ended(exchange({ status: n < 50 ? 499 : 200 }));
    for (const each of known) metrics.ended(each);
    const requests = await seriesOf('requests_total');
    expect(requests.size).toBe(1_002);
    expect(requests.get('{tenant="others",route="others",status="200"}')).toBe(200);
    expect(requests.get('{tenant="others",route="others",status="499"}')).toBe(50);
    expect([...requests.values()].filter((value) => value === 2)).toHaveLength(1_000);
    for (const name of ['request_duration_seconds_count', 'upstream_duration_seconds_count', 'retries_total'])
      expect([name, (await seriesOf(name)).size]).toEqual([name, 1_001]);
    const lookUps = await seriesOf('cache_requests_total');
    expect([lookUps.size, lookUps.get('{tenant="others",route="others",cache="keys",outcome="hit"}')]).toEqual([
      4_004, 250,
    ]);
  });

  it('counts look-ups by tenant and route, and none where it came to none', async () => {
    const metrics = metricsWith(true);
    const one = exchange();
    metrics.ended({ ...one, keyHit: false, tableHit: false });
    for (let n = 0; n < 3; n += 1) metrics.ended(one);
    metrics.ended({ ...one, keyHit: true, tableHit: false, route: null, status: 404 });
    metrics.ended({ ...one, keyHit: null, tableHit: null, tenantId: null, route: null, status: 401 });
    const of = (series: Map<string, number>, labels: string) =>
      ['keys",outcome="hit', 'keys",outcome="miss', 'routes",outcome="hit', 'routes",outcome="miss'].map((rest) =>
        series.get(`{${labels},cache="${rest}"}`),
      );
    const apart = await seriesOf('cache_requests_total');
    expect(of(apart, `tenant="${one.tenantId}",route="${one.route?.id}"`)).toEqual([3, 1, 3, 1]);
    expect(of(apart, `tenant="${one.tenantId}",route="none"`)).toEqual([1, 0, 0, 1]);
    expect(of(apart, 'tenant="none",route="none"')).toEqual([0, 0, 0, 0]);
    const together = metricsWith(false);
    for (const keyHit of [true, false, true]) together.ended(exchange({ keyHit, tableHit: true }));
    expect(of(await seriesOf('cache_requests_total'), 'tenant="all",route="all"')).toEqual([2, 1, 3, 0]);
  });

  it('keeps a tenth of what is free apart for a tenant, and counts its other routes together under its own name', async () => {
    const metrics = metricsWith(true);
    const tenants = Array.from({ length: 40 }, newId);
    for (const tenantId of tenants)
      for (let n = 0; n < 200; n += 1) metrics.ended(exchange({ tenantId, status: n < 195 ? 200 : 500 }));
    const requests = await seriesOf('requests_total');
    const of = (tenantId: string) => [...requests].filter(([labels]) => labels.startsWith(`{tenant="${tenantId}",`));
    const apart = tenants.map((id) => of(id).filter(([labels]) => !labels.includes('route="others"')).length);
    expect(apart.slice(0, 3)).toEqual([91, 83, 76]);
    expect(Math.min(...apart)).toBeGreaterThan(1);
    expect(apart.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(1_000);
    for (const tenantId of tenants) expect(of(tenantId).reduce((sum, [, value]) => sum + value, 0)).toBe(200);
    expect(requests.get(`{tenant="${tenants[0]}",route="others",status="200"}`)).toBe(195 - 91);
    expect(requests.get(`{tenant="${tenants[39]}",route="others",status="500"}`)).toBe(5);
    expect([...requests.keys()].filter((labels) => labels.startsWith('{tenant="others"'))).toEqual([]);
  });

  it('counts a tenant under its own name where no series of a route is left', async () => {
    const metrics = metricsWith(true);
    for (let n = 0; n < 600; n += 1)
      for (const route of [tableRoute(), tableRoute()]) metrics.ended(exchange({ tenantId: `t${n}`, route }));
    const late = exchange();
    metrics.ended(late);
    metrics.ended(exchange({ tenantId: null, route: null, status: 401 }));
    const requests = await seriesOf('requests_total');
    expect(requests.get(`{tenant="${late.tenantId}",route="others",status="200"}`)).toBe(1);
    expect(requests.get('{tenant="none",route="others",status="401"}')).toBe(1);
  });

  it('counts statuses that HTTP does not know together', async () => {
    const metrics = metricsWith(false);
    for (const status of [599, 600, 742, 999]) metrics.ended(exchange({ status }));
    expect(Object.fromEntries(await seriesOf('requests_total'))).toEqual({
      '{tenant="all",route="all",status="599"}': 1,
      '{tenant="all",route="all",status="999"}': 3,
    });
  });
});
