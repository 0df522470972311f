import { Logger } from '@nestjs/common';
import { WahaFailure } from '../../waha/waha.errors';
import type { WahaServer } from '../../waha/waha-servers.service';
import type { LaneJob } from '../lanes/lane-job';
import type { ChatAlias } from './alias-of';
import type { ChatAliases } from './chat-aliases.service';
import { isSpelledTwoWays, Spellings } from './spellings.service';

const WRITTEN = '5511988880000@c.us';
const PROPER = '551188880000@c.us';

beforeAll(() => {
  Logger.overrideLogger(false);
});

describe('numbers that are spelled in two ways', () => {
  it.each([WRITTEN, PROPER, '5215512345678@c.us', '525512345678@c.us', '5491123456789@c.us', '541123456789@c.us'])(
    'are asked for: %s',
    (chat) => expect(isSpelledTwoWays(chat)).toBe(true),
  );

  it.each([
    '442079460958@c.us',
    '551133334444@c.us',
    '98765432109876@lid',
    '120363000000000001@g.us',
    '12025550123@c.us',
  ])('others are not: %s', (chat) => expect(isSpelledTwoWays(chat)).toBe(false));
});

describe('before a first contact', () => {
  async function asked(job: Partial<LaneJob>, answer: string | null | Error) {
    const calls: string[] = [];
    const learnt: ChatAlias[] = [];
    const client = {
      numberOf: (_session: string, chat: string) => {
        calls.push(chat);
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    };
    const aliases = {
      learnAlone: (_key: object, told: ChatAlias[]) => {
        learnt.push(...told);
        return Promise.resolve(told.map(({ chat }) => chat));
      },
    } as unknown as ChatAliases;
    const whole = { chat: WRITTEN, is_new: true, ...job } as LaneJob;
    const moved = await new Spellings(aliases).learn(whole, { client } as unknown as WahaServer);
    return { moved, calls, learnt: learnt.map(({ alias, chat }) => [alias, chat]) };
  }

  it('the spelling that WhatsApp uses is learnt', async () => {
    expect(await asked({}, PROPER)).toEqual({ moved: true, calls: [WRITTEN], learnt: [[WRITTEN, PROPER]] });
  });

  it.each([
    ['it is written as WhatsApp does', WRITTEN],
    ['WhatsApp does not know it', null],
    ['WAHA has no answer', new WahaFailure('answered', 500, 'broken')],
    ['WAHA does not answer in time', new WahaFailure('lost', 0, 'time-out')],
    ['another number is answered', '5511977770000@c.us'],
  ])('nothing is learnt where %s', async (_case, answer) => {
    expect(await asked({}, answer)).toEqual({ moved: false, calls: [WRITTEN], learnt: [] });
  });

  it.each([
    ['is away', new WahaFailure('unreachable', 0, 'refused')],
    ['has not the session ready', new WahaFailure('answered', 422, 'Session status is not as expected')],
  ])('the send waits where WAHA %s', async (_case, failure) => {
    await expect(asked({}, failure)).rejects.toBe(failure);
  });

  it.each([
    ['who is known', { is_new: false }],
    ['whose country has one spelling', { chat: '442079460958@c.us' }],
  ])('nobody asks for somebody %s', async (_case, job) => {
    expect(await asked(job, PROPER)).toEqual({ moved: false, calls: [], learnt: [] });
  });
});
