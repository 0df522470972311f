import type { WahaServers } from '../waha/waha-servers.service';
import { CatchUpReader, type CatchingUp } from './catch-up-reader.service';

const SECOND = 1_000;
const at = (seconds: number): Date => new Date(Date.UTC(2026, 4, 1) + seconds * SECOND);
const SESSION = { server_id: 'server', waha_name: 's' } as CatchingUp;
const always = async (): Promise<boolean> => true;

/** A WAHA that has so many messages in every page that is asked for, up to the last. */
function readerOf(pages: number): { reader: CatchUpReader; asked: number[] } {
  const asked: number[] = [];
  const client = {
    messagesBetween: async (_session: string, _span: object, { offset, limit }: { offset: number; limit: number }) => {
      asked.push(offset);
      const entries = offset / limit < pages ? limit : 1;
      return {
        messages: Array.from({ length: entries }, (_, n) => ({ waId: `${offset + n}`, at: at(-offset - n) })),
        entries,
      };
    },
  };
  return { reader: new CatchUpReader({ byId: async () => ({ client }) } as unknown as WahaServers), asked };
}

describe('reading what was missed', () => {
  it('reads page after page, and gives the oldest first', async () => {
    const { reader, asked } = readerOf(2);
    const found = await reader.between(SESSION, { from: at(-3_600), to: at(0) }, always);
    expect(asked).toEqual([0, 100, 200]);
    expect(found?.map(({ waId }) => waId)).toEqual(Array.from({ length: 201 }, (_, n) => `${200 - n}`));
  });

  it('holds no more than 20,000: a shorter time is to be asked for, unless it is a second already', async () => {
    expect(await readerOf(300).reader.between(SESSION, { from: at(-3_600), to: at(0) }, always)).toBeNull();
    expect(await readerOf(300).reader.between(SESSION, { from: at(-1), to: at(0) }, always)).toHaveLength(30_001);
  });

  it('stops where somebody else is at it', async () => {
    const { reader, asked } = readerOf(5);
    let left = 2;
    await reader.between(SESSION, { from: at(-3_600), to: at(0) }, async () => (left -= 1) >= 0);
    expect(asked).toEqual([0, 100]);
  });
});
