import { formOf, postForm, upload } from '../support/files';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { type Store, STORES } from '../support/stores';
import { eventually } from '../support/wait';
import { PNG } from './media.harness';

describe.each(STORES)('files on %s', (_name, startStore) => {
  let app: TestApp;
  let store: Store;
  let agent: LoggedIn;

  const recordsOf = async (id: string) =>
    (
      await app.owner.query<{ action: string; actor_kind: string }>(
        'select action, actor_kind from audit_logs where resource = $1 order by at, id',
        [`file:${id}`],
      )
    ).rows;

  beforeAll(async () => {
    store = await startStore();
    app = await startTestApp({ config: { ...store.config, PUBLIC_URL: 'https://files.example/' } });
    agent = await app.login('AGENT');
  });

  afterAll(async () => {
    await app.close();
    await store.close();
  });

  describe('GET /files/:id', () => {
    const digits = '0123456789';
    let id: string;
    const get = (range?: string, headers = {}, at = `/files/${id}`) =>
      agent.http.get(at, { headers: { ...(range === undefined ? {} : { range }), ...headers } });

    beforeAll(async () => {
      ({ id } = await upload(agent.http, digits, 'Größe (1).txt'));
    });

    it('answers the whole as a download under its name that no browser guesses at', async () => {
      const answer = await get();
      expect([answer.status, answer.text]).toEqual([200, digits]);
      const headers = Object.fromEntries(answer.headers);
      expect(headers).toMatchObject({
        ...{ 'content-type': 'text/plain', 'content-length': '10', 'accept-ranges': 'bytes' },
        ...{ 'x-content-type-options': 'nosniff', 'content-security-policy': "default-src 'none'; sandbox" },
      });
      expect(headers['content-disposition']).toMatch(/^attachment; filename="[ -~]+"/);
      expect(headers['content-disposition']).toContain("filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%281%29.txt");
    });

    it.each([
      ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
      ['bytes=7-', 206, '789', 'bytes 7-9/10'],
      ['bytes=-3', 206, '789', 'bytes 7-9/10'],
      ['bytes=-30', 206, digits, 'bytes 0-9/10'],
      ['bytes=0-99', 206, digits, 'bytes 0-9/10'],
      ['bytes=0-1,3-4', 200, digits, null],
      ['lines=1-2', 200, digits, null],
    ])('answers %s with %i', async (range, status, text, contentRange) => {
      const answer = await get(range);
      expect([answer.status, answer.text, answer.headers.get('content-range')]).toEqual([status, text, contentRange]);
    });

    it.each(['bytes=10-', 'bytes=-0'])('has nothing of %s', async (range) => {
      const answer = await get(range);
      expect([answer.outcome, answer.headers.get('content-range')]).toEqual([
        '416 RANGE_NOT_SATISFIABLE',
        'bytes */10',
      ]);
    });

    it('knows what the caller has: If-None-Match and If-Range', async () => {
      const etag = (await get()).headers.get('etag') ?? '';
      expect(etag).toMatch(/^"[^"]+"$/);
      for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
        const answer = await get(undefined, { 'if-none-match': known });
        expect([answer.status, answer.text, answer.headers.get('etag')]).toEqual([304, '', etag]);
      }
      expect((await get(undefined, { 'if-none-match': '"x"' })).status).toBe(200);
      expect((await get('bytes=0-1', { 'if-range': etag })).status).toBe(206);
      for (const stale of ['"x"', `W/${etag}`, 'Tue, 01 Jan 2030 00:00:00 GMT'])
        expect((await get('bytes=0-1', { 'if-range': stale })).status).toBe(200);
    });

    it('tells of it without the bytes (HEAD)', async () => {
      const head = await agent.http.call('HEAD', `/files/${id}`);
      expect([head.status, head.text, head.headers.get('content-length')]).toEqual([200, '', '10']);
      expect(head.headers.get('etag')).toBe((await get()).headers.get('etag'));
    });

    it('shows pictures in place, and never what only says that it is one', async () => {
      const disposition = async (bytes: Buffer | string, type: string) => {
        const form = formOf({ filename: 'picture.png', type, bytes });
        const { body } = await postForm(agent.http, form);
        const answer = await agent.http.get(`/files/${body.id}`);
        return `${answer.headers.get('content-type')} ${answer.headers.get('content-disposition')?.split(';')[0]}`;
      };
      expect(await disposition(PNG, 'text/html')).toBe('image/png inline');
      expect(await disposition('<!doctype html><script>alert(1)</script>', 'image/png')).toBe('text/plain attachment');
      expect(await disposition('<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>', 'image/png')).toMatch(
        / attachment$/,
      );
      const xml = '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>';
      expect(await disposition(xml, 'image/svg+xml')).toMatch(/^(?!image).* attachment$/);
    });

    it('is on record, each time', async () => {
      const { id: read } = await upload(agent.http, 'a', 'a.txt');
      await get(undefined, {}, `/files/${read}`);
      await eventually(async () => (await recordsOf(read)).length === 2, { what: 'the download is on record' });
      expect((await recordsOf(read)).map(({ action }) => action)).toEqual(['FILE_UPLOAD', 'FILE_DOWNLOAD']);
    });
  });

  describe('POST /files/:id/link', () => {
    let id: string;
    const link = async (body: object = {}) => {
      const answer = await agent.http.post<{ url: string; expires_at: string }>(`/files/${id}/link`, body);
      expect(answer.status).toBe(201);
      return answer.body;
    };
    const path_ = (url: string) => url.replace('https://files.example', '');

    beforeAll(async () => {
      ({ id } = await upload(agent.http, '0123456789', 'digits.txt'));
    });

    it('opens the file to anybody, with parts, and is on record', async () => {
      const { url, expires_at: end } = await link();
      expect(url).toMatch(/^https:\/\/files\.example\/files\/links\/[\w-]+$/);
      const inS = (Date.parse(end) - Date.now()) / 1000;
      expect(inS > 540 && inS <= 600).toBe(true);
      const answer = await app.anybody.get(path_(url), { headers: { range: 'bytes=-2' } });
      expect([answer.status, answer.text, answer.headers.get('x-content-type-options')]).toEqual([
        206,
        '89',
        'nosniff',
      ]);
      await eventually(async () => (await recordsOf(id)).some(({ actor_kind: kind }) => kind === 'nobody'), {
        what: 'the download is on record',
      });
      expect((await recordsOf(id)).map(({ action }) => action)).toContain('FILE_LINKED');
    });

    it('opens nothing once it is changed, has ended, or its file is gone', async () => {
      const token =
        path_((await link()).url)
          .split('/')
          .at(-1) ?? '';
      for (const wrong of [`${token}A`, token.slice(1), `B${token.slice(1)}`, `${token.slice(0, -1)}_`])
        expect((await app.anybody.get(`/files/links/${wrong}`)).outcome).toBe('404 NOT_FOUND');
      const short = await link({ expires_in_s: 1 });
      await eventually(async () => (await app.anybody.get(path_(short.url))).outcome === '404 NOT_FOUND', {
        what: 'the link ends',
      });
      expect((await agent.http.delete(`/files/${id}`)).status).toBe(204);
      expect((await app.anybody.get(`/files/links/${token}`)).outcome).toBe('404 NOT_FOUND');
    });

    it.each([0, -1, 1.5, 604_801, '10'])('lives no %j seconds', async (expires_in_s) => {
      expect((await agent.http.post(`/files/${id}/link`, { expires_in_s })).outcome).toBe('400 VALIDATION_FAILED');
    });
  });
});
