import { describeError, redactRecord, redactText } from './redaction';

describe('redactText', () => {
  it.each([
    ['call +49 170 1234567 now', 'call [redacted] now'],
    ['sent to 491701234567.', 'sent to [redacted].'],
    ['chat 491701234567@c.us opened', 'chat [redacted]@c.us opened'],
    ['Authorization: Bearer abc.def-ghi', 'Authorization: Bearer [redacted]'],
    ['token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln', 'token [redacted]'],
    ['key sbk_k7m2qx9d_Zm9vYmFyYmF6-cXV4_Zm9v used', 'key [redacted] used'],
    ['at postgres://owner:secret@db:5432/x', 'at postgres://owner:[redacted]@db:5432/x'],
  ])('hides what is secret in "%s"', (text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });

  it.each(['01890000-0000-7000-8000-012345678901', 'migrated 12 of 15', 'took 1234.5678 ms', '/messages/:id'])(
    'leaves "%s" as it is',
    (text) => {
      expect(redactText(text)).toBe(text);
    },
  );
});

describe('redactRecord', () => {
  it('hides values under secret names, at any depth', () => {
    const record = {
      headers: { Authorization: 'x', 'x-api-key': 'x', cookie: 'x', accept: 'json' },
      refresh_token: 'x',
      user: [{ password_hash: 'x', phone_number: '1', name: 'A' }],
      body: { text: 'hello' },
      status: 200,
    };
    const hidden = '[redacted]';
    expect(redactRecord(record)).toEqual({
      headers: { Authorization: hidden, 'x-api-key': hidden, cookie: hidden, accept: 'json' },
      refresh_token: hidden,
      user: [{ password_hash: hidden, phone_number: hidden, name: 'A' }],
      body: hidden,
      status: 200,
    });
  });

  it('ends with circles', () => {
    const record: Record<string, unknown> = {};
    record.self = record;
    expect(() => JSON.stringify(redactRecord(record))).not.toThrow();
  });
});

describe('describeError', () => {
  it('says what failed and where, without what was in the query', () => {
    const error = Object.assign(new Error('duplicate key', { cause: new Error('of +49 170 1234567') }), {
      code: '23505',
      detail: 'Key (email)=(a@b.example) exists',
      parameters: ['a@b.example'],
    });
    const described = describeError(error) as Record<string, unknown>;
    expect(described).toMatchObject({ type: 'Error', code: '23505', cause: { message: 'of [redacted]' } });
    expect(JSON.stringify(described)).not.toContain('a@b.example');
  });
});
