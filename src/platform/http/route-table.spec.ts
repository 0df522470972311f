import fastify from 'fastify';
import { RouteTable } from './route-table';

describe('RouteTable', () => {
  const routes = new RouteTable();

  beforeAll(async () => {
    const server = fastify();
    routes.watch(server);
    server.get('/messages/:id', () => 'one');
    server.delete('/messages/:id', () => 'gone');
    server.post('/messages/send', () => 'sent');
    server.options('*', () => 'preflight');
    await server.ready();
  });

  it.each([
    ['/messages/1', ['DELETE', 'GET', 'HEAD']],
    ['/messages/1?x=/', ['DELETE', 'GET', 'HEAD']],
    ['/messages/send', ['DELETE', 'GET', 'HEAD', 'POST']],
    ['/messages', []],
    ['/messages/', []],
    ['/messages/1/2', []],
    ['/', []],
  ])('knows the methods of %s', (path, methods) => {
    expect(routes.methodsOf(path)).toEqual(methods);
  });

  it('lists each route once', () => {
    expect(routes.list().sort()).toEqual([
      'DELETE /messages/:id',
      'GET /messages/:id',
      'HEAD /messages/:id',
      'OPTIONS *',
      'POST /messages/send',
    ]);
  });
});
