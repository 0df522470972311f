import { isCidr, isWithin, networksOf } from './cidr';

describe('isCidr', () => {
  it.each(['10.0.0.0/8', '203.0.113.7', '::1', '2001:db8::/32', '0.0.0.0/0'])('takes %s', (text) => {
    expect(isCidr(text)).toBe(true);
  });

  it.each(['10.0.0.0/33', '10.0.0/8', '::/129', '10.0.0.0/8/9', 'localhost', '', '10.0.0.0/', 7, null])(
    'refuses %j',
    (text) => {
      expect(isCidr(text)).toBe(false);
    },
  );
});

describe('networksOf', () => {
  const allows = networksOf(['10.1.0.0/16', '203.0.113.7', '2001:db8::/32']);

  it.each(['10.1.2.3', '203.0.113.7', '::ffff:10.1.2.3', '::FFFF:203.0.113.7', '2001:db8::9'])(
    'holds %s',
    (address) => {
      expect(allows(address)).toBe(true);
    },
  );

  it.each(['10.2.0.1', '203.0.113.8', '::ffff:10.2.0.1', '2001:db9::1', '', 'unix', '10.1.2'])(
    'does not hold "%s"',
    (address) => {
      expect(allows(address)).toBe(false);
    },
  );

  it('holds whoever maps into a network that was written as IPv6', () => {
    expect(networksOf(['::ffff:10.0.0.0/104'])('::ffff:10.9.9.9')).toBe(true);
  });
});

describe('isWithin', () => {
  it.each([
    ['10.1.0.0/16', '10.0.0.0/8'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.9.9.9/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['10.1.2.3', '0.0.0.0/0'],
    ['2001:db8:1::/48', '2001:DB8::/32'],
    ['2001:db8::9', '2001:db8::/32'],
    ['::ffff:10.1.0.0/112', '10.0.0.0/8'],
    ['10.1.0.0/16', '::ffff:10.0.0.0/104'],
    ['10.1.0.0/16', '::/0'],
  ])('finds %s in %s', (inner, outer) => {
    expect(isWithin(inner, outer)).toBe(true);
  });

  it.each([
    ['10.0.0.0/7', '10.0.0.0/8'],
    ['11.0.0.0/16', '10.0.0.0/8'],
    ['0.0.0.0/0', '10.1.2.3'],
    ['2001:db8::/31', '2001:db8::/32'],
    ['2001:db9::/48', '2001:db8::/32'],
    ['::/0', '0.0.0.0/0'],
    ['::10.1.2.3', '10.0.0.0/8'],
    ['::ffff:10.0.0.0/103', '10.0.0.0/8'],
    ['11.0.0.0/16', '::ffff:10.0.0.0/104'],
  ])('does not find %s in %s', (inner, outer) => {
    expect(isWithin(inner, outer)).toBe(false);
  });
});
