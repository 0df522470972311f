import { LOOKED_THROUGH, type MessageFilter, patternsOf, walkOf } from './message-walk';

describe('the way through a list', () => {
  const from = new Date('2026-01-01T00:00:00Z');

  it.each<[string, MessageFilter, MessageFilter, MessageFilter]>([
    ['nothing', {}, {}, {}],
    ['a session', { sessionId: 's' }, { sessionId: 's' }, {}],
    ['times', { from }, { from }, {}],
    ['a chat in a session', { sessionId: 's', chat: 'c' }, { chat: 'c' }, { sessionId: 's' }],
    ['what was received', { direction: 'inbound' }, { status: 'received' }, {}],
    ['what was sent', { direction: 'outbound' }, {}, { direction: 'outbound' }],
    ['a common status', { status: 'read' }, {}, { status: 'read' }],
    ['a common type in a campaign', { type: 'text', campaignId: 'k' }, { campaignId: 'k' }, { type: 'text' }],
    [
      'a sender and a status, since',
      { createdBy: 'u', status: 'failed', from },
      { createdBy: 'u', from },
      { status: 'failed' },
    ],
    [
      'what failed in a session',
      { sessionId: 's', status: 'failed', direction: 'outbound' },
      { sessionId: 's', status: 'failed' },
      { direction: 'outbound' },
    ],
    [
      'what is being sent in a session',
      { sessionId: 's', status: 'sending' },
      { status: 'sending' },
      { sessionId: 's' },
    ],
    ['what waits in a session', { sessionId: 's', status: 'queued' }, { sessionId: 's' }, { status: 'queued' }],
    [
      'a direction in a session',
      { sessionId: 's', direction: 'outbound', from },
      { sessionId: 's', direction: 'outbound', from },
      {},
    ],
    ['what a session received', { sessionId: 's', direction: 'inbound' }, { sessionId: 's', direction: 'inbound' }, {}],
    [
      'what a session received, by its status',
      { sessionId: 's', status: 'received' },
      { sessionId: 's', direction: 'inbound' },
      {},
    ],
    ['the same said twice', { status: 'received', direction: 'inbound' }, { status: 'received' }, {}],
    [
      'what cannot be',
      { sessionId: 's', status: 'received', direction: 'outbound' },
      { sessionId: 's', direction: 'outbound' },
      { status: 'received' },
    ],
    ['a word', { q: 'x', type: 'image' }, { type: 'image' }, { q: 'x' }],
  ])('leads for %s', (_what, filter, way, rest) => {
    expect(walkOf(filter)).toEqual({ way, rest });
  });

  it('leads along what is narrowest, and is bounded', () => {
    const all: MessageFilter = {
      type: 'image',
      status: 'failed',
      sessionId: 's',
      createdBy: 'u',
      campaignId: 'k',
      chat: 'c',
    };
    expect(walkOf(all).way).toEqual({ chat: 'c' });
    expect(LOOKED_THROUGH).toBe(50_000);
  });

  it('knows words, and nothing else, in what is looked for', () => {
    expect(patternsOf('  50% off_now\t\\o/ ')).toEqual(['%50\\%%', '%off\\_now%', '%\\\\o/%']);
    expect(patternsOf(undefined)).toBeUndefined();
  });
});
