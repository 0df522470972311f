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
