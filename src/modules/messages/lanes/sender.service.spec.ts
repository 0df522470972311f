import { Logger } from '@nestjs/common';
import { DatabaseError } from 'pg';
import type { WahaServers } from '../../waha/waha-servers.service';
import type { Spellings } from '../chats/spellings.service';
import type { MediaLinks } from '../media/media-links.service';
import type { MessageMetrics } from '../message.metrics';
import type { LaneJob } from './lane-job';
import type { LaneStore } from './lane-store.service';
import type { Outcome } from './outcome';
import { Sender } from './sender.service';

const JOB = { server_id: 's', waha_name: 'w', chat: 'c@c.us', body: 'x', content: {}, wa_id: null } as LaneJob;

function refusal(code: string): DatabaseError {
  const error = new DatabaseError('refused', 0, 'error');
  error.code = code;
  return error;
}

/** Sends one message through a WAHA that answers with that id; the outcomes that were to be written, the last one was. */
async function written(refusals: Error[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const store = {
    recordAttempt: () => Promise.resolve(1),
    finish: (_job: LaneJob, _attempt: number, outcome: Outcome) => {
      outcomes.push(outcome);
      const error = refusals.shift();
      return error ? Promise.reject(error) : Promise.resolve();
    },
  } as unknown as LaneStore;
  const client = {
    getSession: () => Promise.resolve({ status: 'WORKING' }),
    send: () => Promise.resolve('an id that the database refuses'),
  };
  const servers = {
    byId: () => Promise.resolve({ client, reservesIds: false }),
    ensureProbed: () => Promise.resolve(),
  } as unknown as WahaServers;
  const metrics = { attempted: () => undefined } as unknown as MessageMetrics;
  const links = {} as MediaLinks;
  const spellings = { learn: () => Promise.resolve(false) } as unknown as Spellings;
  await new Sender(store, servers, metrics, links, spellings).send(JOB);
  return outcomes;
}

beforeAll(() => {
  Logger.overrideLogger(false);
});

const waIds = (outcomes: Outcome[]) => outcomes.map(({ waId }) => waId);
const WHOLE = 'an id that the database refuses';

describe('an outcome that the database does not take', () => {
  it('for what WAHA said in it is written without that, so that the lane goes on', async () => {
    const outcomes = await written([refusal('22021')]);
    expect(waIds(outcomes)).toEqual([WHOLE, null]);
    expect(outcomes.at(-1)).toMatchObject({ status: 'sent', error: null, lane: 'go' });
    expect(waIds(await written([refusal('54000')]))).toEqual([WHOLE, null]);
  });

  it('because it is away is written whole when it is back', async () => {
    expect(waIds(await written([refusal('57P01'), new Error('Connection terminated')]))).toEqual([WHOLE, WHOLE, WHOLE]);
  });
});
