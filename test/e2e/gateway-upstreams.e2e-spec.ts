import type { UpstreamHealthResponse } from '../../src/modules/gateway/balance/dto/upstream-health.response';
import { makeRoute } from '../support/gateway-routes';
import { RoutesBed } from '../support/routes-bed';
import type { Wire } from '../support/whatsapp';

type WireUpstream = Wire<UpstreamHealthResponse>;

describe('GET /gateway/upstreams/health', () => {
  const bed = new RoutesBed();

  beforeAll(() => bed.open());
  afterAll(() => bed.close());

  // In the order of their bytes: no language puts upper case, `_` and `~` so.
  const LONG = `https://1.1.1.1/${'x'.repeat(2_000)}`;
  const SHORT = ['http://8.8.8.8:8080', 'https://1.1.1.1', 'https://1.1.1.1/A_', 'https://1.1.1.1/a~'];
  const get = async (query: string) => bed.http.get<WireUpstream[]>(`/gateway/upstreams/health?${query}`);
  const urlsOf = ({ body }: { body: WireUpstream[] }) => body.map(({ url }) => url);

  it('shows each upstream once, with the routes that name it, page by page in the order of their addresses', async () => {
    expect((await get('count=true')).body).toEqual([]);
    const upstreams = [...SHORT, LONG, `${LONG}y`].map((url) => ({ url })).reverse();
    const one = await makeRoute(bed.http, { upstreams });
    const two = await makeRoute(bed.http, { upstreams: upstreams.slice(-1), enabled: false });
    const all = await get('count=true');
    const urls = urlsOf(all);
    expect([urls.slice(0, 4), urls.slice(4).sort(), all.headers.get('x-total-count')]).toEqual([
      SHORT,
      [LONG, `${LONG}y`],
      '6',
    ]);
    expect(all.body[0]).toMatchObject({ route_ids: [one.id, two.id].sort(), state: 'unknown', latency_ms: null });
    expect(all.body[1]?.route_ids).toEqual([one.id]);
    expect(urlsOf(await get('offset=4'))).toEqual(urls.slice(4));

    const seen: string[] = [];
    let next: string | undefined = 'limit=1';
    while (next !== undefined) {
      const page = await get(next);
      seen.push(...urlsOf(page));
      next = /<[^>]*\?(.*)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(seen).toEqual(urls);
  });

  it('takes whatever cursor for a place, and never for more', async () => {
    for (const text of ['\0', 'https://1.1.1.1/A_\0', '\ud800', 'zzz', "' or true --"])
      expect([text, (await get(`cursor=${Buffer.from(text).toString('base64url')}`)).status]).toEqual([text, 200]);
    const behind = Buffer.from('https://1.1.1.1/A_~\0').toString('base64url');
    expect(urlsOf(await get(`cursor=${behind}`))[0]).toBe(SHORT[3]);
  });
});
