import { mayEdit, mayRevoke, isOfItsChat } from './message-changes.policy';

const ALICE = '5511888880000@c.us';
const BOB = '5511888881111@c.us';
const GROUP = '120363000000000001@g.us';

const inbound = { direction: 'inbound', chat: ALICE, author: null } as const;
const outbound = { ...inbound, direction: 'outbound' } as const;
const inGroup = { direction: 'inbound', chat: GROUP, author: ALICE } as const;
const ownInGroup = { direction: 'outbound', chat: GROUP, author: null } as const;

const by = (author: string | null, chat = GROUP) => ({ chat, fromMe: false, author });
const byMe = (chat: string) => ({ chat, fromMe: true, author: null });

describe('who may change a message', () => {
  it.each([
    ['its author', by(null, ALICE), inbound, true, true],
    ['its author under another id of the chat', by(null, '98765432109876@lid'), inbound, true, true],
    ['this side a message of the other', byMe(ALICE), inbound, false, false],
    ['this side its own', byMe(ALICE), outbound, true, true],
    ['the other side one of ours', by(null, ALICE), outbound, false, false],
    ['its author in a group', by(ALICE), inGroup, true, true],
    ['its author from another device', by('5511888880000:12@c.us'), inGroup, true, true],
    ['its author under its other id', by('98765432109876@lid'), inGroup, true, true],
    ['another member, as an administrator may', by(BOB), inGroup, false, true],
    ['another member one of ours', by(BOB), ownInGroup, false, true],
    ['this side its own in a group', byMe(GROUP), ownInGroup, true, true],
    ['somebody of another group', by(ALICE, '120363000000000002@g.us'), inGroup, false, false],
    ['a member who writes to us alone', by(null, ALICE), inGroup, false, false],
    ['a member of a group a message of a chat of two', by(ALICE), inbound, false, false],
  ])('%s', (_who, doing, message, edits, revokes) => {
    expect([mayEdit(doing, message), mayRevoke(doing, message)]).toEqual([edits, revokes]);
  });

  it('whoever reacts is in the chat', () => {
    expect([isOfItsChat(by(BOB), inGroup), isOfItsChat(by(null, BOB), inGroup)]).toEqual([true, false]);
  });
});
