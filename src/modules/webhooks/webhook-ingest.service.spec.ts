import { createHmac } from 'node:crypto';
import { isSignedWith } from './webhook-ingest.service';

const BODY = Buffer.from('{"event":"message","session":"default","engine":"WEBJS"}');
const right = createHmac('sha512', 'my-secret-key').update(BODY).digest('hex');

describe('isSignedWith', () => {
  it('takes the signature of WAHA’s own documentation', () => {
    expect(right).toMatch(/^208f8a55/);
    expect(isSignedWith('my-secret-key', BODY, right)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['another algorithm', createHmac('sha256', 'my-secret-key').update(BODY).digest('hex')],
    ['upper case', right.toUpperCase()],
    ['a character less', right.slice(0, -1)],
    ['a character more', `${right}0`],
    ['a line break behind it', `${right}\n`],
    ['no hex', 'g'.repeat(128)],
    ['a prefix', `sha512=${right}`],
    ['two bytes for one', `é${right.slice(1)}`],
  ])('refuses %s', (_what, signature) => {
    expect(isSignedWith('my-secret-key', BODY, signature)).toBe(false);
  });

  it('refuses another key and another body', () => {
    expect(isSignedWith('my-secret-kez', BODY, right)).toBe(false);
    expect(isSignedWith('', BODY, right)).toBe(false);
    expect(isSignedWith('my-secret-key', Buffer.concat([BODY, Buffer.from(' ')]), right)).toBe(false);
  });
});
