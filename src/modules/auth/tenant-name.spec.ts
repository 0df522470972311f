import { tenantNameOf } from './tenant-name';

describe('tenantNameOf', () => {
  it.each([
    ['jane@acme.example', 'acme.example'],
    ['jane.doe@gmail.com', 'jane.doe'],
    ['"a@b"@gmx.de', '"a@b"'],
  ])('makes of %s %s', (email, name) => {
    expect(tenantNameOf(email)).toBe(name);
  });

  it('fits the table', () => {
    expect(tenantNameOf(`jane@${'acme.'.repeat(48)}example`)).toHaveLength(200);
  });
});
