import { randomBytes } from 'node:crypto';
import { newId } from '../../common/ids';
import { linkToken, readLinkToken } from './link-token';

describe('linkToken', () => {
  const key = randomBytes(32);
  const media = { tenantId: newId(), id: newId() };
  const endsAtMs = 1_800_000_000_000;
  const token = linkToken(media, endsAtMs, key);

  it('opens the file of that message until its end', () => {
    expect(readLinkToken(token, endsAtMs - 1, key)).toEqual(media);
    expect(readLinkToken(token, endsAtMs, key)).toBeNull();
  });

  it('opens nothing under another key', () => expect(readLinkToken(token, 0, randomBytes(32))).toBeNull());

  it('opens nothing once a bit of it is changed, or a character more or less', () => {
    const bytes = Buffer.from(token, 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      expect(readLinkToken(changed.toString('base64url'), 0, key)).toBeNull();
    }
    for (const other of ['', token.slice(1), token.slice(0, -1), `${token}A`, `${token}=`, `${token}/`, ` ${token}`])
      expect(readLinkToken(other, 0, key)).toBeNull();
  });
});
