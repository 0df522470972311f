import { withoutPrefix } from './api-prefix';

describe('withoutPrefix', () => {
  it.each([
    ['/api/files', '/files'],
    ['/api/files?limit=5', '/files?limit=5'],
    ['/files', '/files'],
    ['/api', '/'],
    ['/api?x=1', '/?x=1'],
    ['/api/docs', '/api/docs'],
    ['/api/docs-json', '/api/docs-json'],
    ['/api-keys', '/api-keys'],
    ['/api/api-keys', '/api-keys'],
    ['/apifiles', '/apifiles'],
    ['/', '/'],
  ])('makes %s to %s', (url, route) => {
    expect(withoutPrefix(url)).toBe(route);
  });
});
