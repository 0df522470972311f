import { publicAddresses } from './public-addresses';

describe('publicAddresses', () => {
  const mayConnect = publicAddresses([]);

  it.each(['1.1.1.1', '8.8.8.8', '172.15.255.255', '172.32.0.1', '100.63.255.255', '100.128.0.1', '2606:4700::1111'])(
    'lets %s through',
    (address) => expect(mayConnect(address)).toBe(true),
  );

  it.each([
    ...['0.0.0.0', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1'],
    ...['172.31.255.255', '192.0.0.8', '192.0.2.1', '192.168.1.1', '198.18.0.1', '198.19.255.255', '203.0.113.9'],
    ...['168.63.129.16', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
    ...['::', '::1', '::7f00:1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '64:ff9b::7f00:1', '64:ff9b:1::1', '100::1'],
    ...['2001::1', '2001:db8::1', '2002:7f00:1::1', '3fff::1', 'fc00::1', 'fd12::1', 'fe80::1', 'fe80::1%eth0'],
    ...['fec0::1', 'ff02::1', '5f00::1', '4000::1', '', 'localhost', '127.1', '1.1.1.1.1'],
  ])('refuses %s', (address) => expect(mayConnect(address)).toBe(false));

  it('lets the allowed networks through, in either spelling, and nothing beside them', () => {
    const mayReach = publicAddresses(['127.0.0.1', 'fd00::/8']);
    expect(['127.0.0.1', '::ffff:127.0.0.1', 'fd00::1'].map(mayReach)).toEqual([true, true, true]);
    expect(['127.0.0.2', 'fe80::1', '10.0.0.1'].map(mayReach)).toEqual([false, false, false]);
  });

  it.each([
    ...[
      '169.254.169.254',
      '169.254.170.2',
      '168.63.129.16',
      '100.100.100.200',
      'fd00:ec2::254',
      '::ffff:169.254.169.254',
    ],
    ...['64:ff9b::a9fe:a9fe', '2002:a9fe:a9fe::1', '::a9fe:a9fe', '64:ff9b::a83f:8110', '::ffff:a83f:8110'],
  ])('lets nobody to the metadata of a cloud at %s, though everything is allowed', (address) => {
    const mayReach = publicAddresses(['0.0.0.0/0', '::/0']);
    expect(mayReach(address)).toBe(false);
    expect(mayReach('169.254.169.253')).toBe(true);
  });
});
