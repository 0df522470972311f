import { hostName, isHost } from './request-head';

describe('the host of a request', () => {
  it.each([
    ['Shop.Example', 'shop.example'],
    ['shop.example:8080', 'shop.example'],
    // The same host, by a name that says that it is whole (RFC 1034 §3.1).
    ['shop.example.', 'shop.example'],
    ['Shop.Example.:443', 'shop.example'],
    ['192.0.2.7:80', '192.0.2.7'],
    ['[2001:DB8::7]', '[2001:db8::7]'],
    ['[2001:db8::7]:8443', '[2001:db8::7]'],
    ['shop.example..', 'shop.example.'],
    ['.', ''],
    ['', ''],
  ])('%s is the %s of routes', (host, name) => {
    expect(hostName(host)).toBe(name);
  });

  it.each(['', 'a b', 'a:b', 'a:80:80', 'a]', '[::1', 'a,b', 'http://a', 'a/b', 'a:123456', '[::1].x'])(
    'is not %j',
    (host) => {
      expect(isHost(host)).toBe(false);
    },
  );
});
