import { EgressFailure } from '../../platform/egress/egress-failure';
import { GatewayEgress } from './gateway-egress';

const egressWith = (...allowed: string[]) => new GatewayEgress({ allowed });

describe('an upstream', () => {
  const egress = egressWith();

  it.each([
    ['https://Shop.Example', 'https://shop.example'],
    ['https://shop.example/', 'https://shop.example'],
    ['https://shop.example:443/v2//', 'https://shop.example/v2'],
    ['http://shop.example:8080/a/../b', 'http://shop.example:8080/b'],
    ['http://shop.example:443', 'http://shop.example:443'],
    ['http://1.1.1.1:80', 'http://1.1.1.1'],
    ['http://[2606:4700::1111]:1024', 'http://[2606:4700::1111]:1024'],
  ])('%s is %s', (given, kept) => {
    expect(egress.checkUpstream(given)).toBe(kept);
    expect(egress.checkUpstream(kept)).toBe(kept);
  });

  it.each([
    ...['127.0.0.1', '2130706433', '0x7f.1', '0177.0.0.1', '①②⑦.0.0.1', '127.1', '0', '10.0.0.1', '192.168.1.1'],
    ...['172.16.0.1', '169.254.169.254', '100.100.100.200', '168.63.129.16', '[::1]', '[::]', '[::ffff:127.0.0.1]'],
    ...['[::ffff:7f00:1]', '[::7f00:1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[fd00:ec2::254]', '[fe80::1]'],
    ...['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', '224.0.0.1', '0xa9fea9fe'],
  ])('is not at %s', (host) => {
    expect(() => egress.checkUpstream(`http://${host}:8080/x`)).toThrow(EgressFailure);
    expect(() => egress.checkUpstream(`http://${host}:8080/x`)).toThrow('not of the public internet');
  });

  it.each([
    ...['ftp://a.example', 'a.example', '//a.example', 'file:///etc/passwd', 'http://', 'http://a.example:99999'],
    ...['http://user@a.example', 'http://:pass@a.example', 'http://a.example?x', 'http://a.example/#', 'http://a b'],
    ...['http://a.example:22', 'http://a.example:1023', 'http://a.example:1', `http://${'a'.repeat(3_000)}`],
    // Short as it is given, long as it is kept, where it would be refused at the next change of its route.
    `http://a.example/${'é'.repeat(400)}`,
  ])('is not %s', (url) => {
    expect(() => egress.checkUpstream(url)).toThrow(EgressFailure);
  });

  it('may be in the networks that are allowed, but where no metadata are', () => {
    const own = egressWith('127.0.0.0/8', '10.0.0.0/8');
    for (const url of ['http://127.0.0.1:8080', 'http://localhost:8080', 'http://10.1.2.3:8080'])
      expect(own.checkUpstream(url)).toBe(url);
    expect(() => own.checkUpstream('http://192.168.0.1:8080')).toThrow(EgressFailure);
    const all = egressWith('0.0.0.0/0', '::/0');
    for (const host of ['169.254.169.254', '168.63.129.16', '100.100.100.200', '[fd00:ec2::254]', '[::ffff:a9fe:a9fe]'])
      expect(() => all.checkUpstream(`http://${host}`)).toThrow(EgressFailure);
    expect([all.mayConnect('10.0.0.1'), all.mayConnect('169.254.169.254')]).toEqual([true, false]);
  });

  it('has a verdict by what its name leads to now', async () => {
    expect(await egress.verdictOn('http://localhost:8080')).toBe('refused');
    expect(await egressWith('127.0.0.1').verdictOn('http://localhost:8080')).toBe('open');
    expect(await egress.verdictOn('http://[2606:4700::1111]')).toBe('open');
    expect(await egress.resolve('localhost')).toEqual([{ address: '127.0.0.1', family: 4 }]);
  });

  it.each([
    ['one address that is closed among open ones', ['1.1.1.1', '10.0.0.1'], 'refused'],
    ['a closed one of IPv6', ['::1'], 'refused'],
    ['open ones', ['1.1.1.1', '2606:4700::1111'], 'open'],
    ['none', [], 'unknown'],
  ])('is %s: %j, %s', async (_what, addresses, verdict) => {
    const resolve = jest.spyOn(egress, 'resolve');
    resolve.mockResolvedValueOnce(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
    expect(await egress.verdictOn('http://name.example')).toBe(verdict);
    resolve.mockRestore();
  });
});
