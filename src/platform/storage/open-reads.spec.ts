import { OpenReads } from './open-reads';

const never = new AbortController().signal;

/** Takes places until none is free. */
async function fill(reads: OpenReads, tenantId: string): Promise<(() => void)[]> {
  const places: (() => void)[] = [];
  for (;;) {
    const place = await reads.take(tenantId, never).catch(() => null);
    if (!place) return places;
    places.push(place);
  }
}

describe('OpenReads', () => {
  it('gives a tenant half of all places, and always leaves some to one that has none', async () => {
    const reads = new OpenReads(100, 1);
    const taken: number[] = [];
    for (const tenant of ['a', 'b', 'c', 'd']) taken.push((await fill(reads, tenant)).length);
    expect(taken).toEqual([50, 25, 13, 6]);
  });

  it('gives a place that comes back to the first who waits and may have it', async () => {
    const reads = new OpenReads(4, 10_000);
    const short = AbortSignal.timeout(20);
    const [first, second] = [await reads.take('a', never), await reads.take('a', never)];
    await expect(reads.take('a', short)).rejects.toThrow();
    const order: string[] = [];
    const waiting = ['1', '2'].map((name) => reads.take('a', never).then(() => order.push(name)));
    first();
    await waiting[0];
    expect(order).toEqual(['1']);
    second();
    await waiting[1];
    expect(order).toEqual(['1', '2']);
  });

  it('refuses who has waited long enough, and forgets who has gone', async () => {
    const reads = new OpenReads(1, 20);
    const place = await reads.take('a', never);
    await expect(reads.take('b', never)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', status: 503 });
    const gone = new AbortController();
    const waiting = reads.take('b', gone.signal);
    gone.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    place();
    await expect(reads.take('c', never)).resolves.toBeInstanceOf(Function);
  });
});
