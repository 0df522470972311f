import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FORM_HEADERS, formOf, postForm, upload, type WireFile } from '../support/files';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { eventually } from '../support/wait';
import { PNG } from './media.harness';

const MAX_BYTES = 300_000;
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

let app: TestApp;
let folder: string;
let admin: LoggedIn;
let agent: LoggedIn;
let other: LoggedIn;
let auditor: LoggedIn;

const objects = () => readdir(path.join(folder, app.tenantId)).catch(() => []);
const drafts = () => readdir(path.join(folder, 'temporary')).catch(() => []);
const removals = async () => (await app.owner.query('select * from object_removals')).rows;
const rows = async () => (await app.owner.query<{ id: string }>('select id from files')).rows.map(({ id }) => id);
const recordsOf = async (id: string) =>
  (
    await app.owner.query<{ action: string; actor_kind: string }>(
      'select action, actor_kind from audit_logs where resource = $1 order by at, id',
      [`file:${id}`],
    )
  ).rows;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'files-'));
  app = await startTestApp({
    config: { STORAGE_PATH: folder, MAX_UPLOAD_BYTES: String(MAX_BYTES), PUBLIC_URL: 'https://files.example/' },
  });
  [admin, agent, other, auditor] = (await Promise.all(
    (['TENANT_ADMIN', 'AGENT', 'AGENT', 'AUDITOR'] as const).map((role) => app.login(role)),
  )) as [LoggedIn, LoggedIn, LoggedIn, LoggedIn];
});

afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

describe('POST /files', () => {
  it('stores the bytes, and says what they are', async () => {
    const file = await upload(agent.http, PNG, 'photo.png');
    expect(file).toEqual({
      ...{ id: file.id, user_id: agent.userId, name: 'photo.png', size: PNG.length },
      ...{ mime_type: 'image/png', sha256: sha256(PNG), created: file.created },
    });
    expect((await agent.http.get(`/files/${file.id}`)).bytes.equals(PNG)).toBe(true);
    const metadata = await agent.http.get<WireFile>(`/files/${file.id}/metadata`);
    expect(metadata.body).toEqual(file);
    expect(await removals()).toEqual([]);
  });

  it('stores a large file, an empty one, and one whose bytes look like the form', async () => {
    const evil = Buffer.from('\r\n--only-for-tests\r\n--\r\ncontent-disposition: form-data; name="file"\r\n\r\n');
    for (const bytes of [randomBytes(MAX_BYTES), Buffer.alloc(0), evil]) {
      const file = await upload(agent.http, bytes);
      expect([file.size, file.sha256]).toEqual([bytes.length, sha256(bytes)]);
      expect((await agent.http.get(`/files/${file.id}`)).bytes.equals(bytes)).toBe(true);
    }
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['..\\..\\boot.ini', 'boot.ini'],
    ['/absolute/a.txt', 'a.txt'],
    ['größe 🙂.txt', 'größe 🙂.txt'],
    ['tabs\tand\u0007bells.txt', 'tabsandbells.txt'],
    ['invoice\u202Egpj.exe', 'invoicegpj.exe'],
    [`${'n'.repeat(300)}.txt`, `${'n'.repeat(251)}.txt`],
    ['..', 'file.txt'],
    ['', 'file.txt'],
  ])('keeps the name %j as %j, and no path', async (filename, name) => {
    const before = (await objects()).length;
    const file = await upload(agent.http, 'a text', filename);
    expect(file.name).toBe(name);
    expect((await objects()).length).toBe(before + 1);
  });

  it('takes no line break into a name', async () => {
    const answer = await postForm(agent.http, formOf({ filename: 'a\r\nx-evil: b.txt', bytes: 'a' }));
    expect([answer.status, /[\r\n]/.test(answer.body.name)]).toEqual([201, false]);
    const served = await agent.http.get(`/files/${answer.body.id}`);
    expect([served.status, served.headers.get('x-evil')]).toEqual([200, null]);
  });

  it('refuses a form without the file, with more than the file, and what is no form', async () => {
    const before = [await rows(), await objects()];
    const refused = async (form: Buffer, headers = {}) => {
      const { outcome, body } = await postForm(agent.http, form, headers);
      const { details = [] } = body as unknown as { details?: { field: string }[] };
      return [outcome, ...details.map(({ field }) => field)].join(' ');
    };
    const file = { filename: 'a.txt', bytes: 'a' };
    expect(await refused(formOf())).toBe('400 VALIDATION_FAILED file');
    expect(await refused(formOf({ ...file, field: 'other' }))).toBe('400 VALIDATION_FAILED other');
    expect(await refused(formOf({ field: 'name', bytes: 'x' }, file))).toBe('400 VALIDATION_FAILED name');
    expect(await refused(formOf(file, { field: 'name', bytes: 'x' }))).toBe('400 VALIDATION_FAILED name');
    expect(await refused(formOf(file, file))).toBe('400 VALIDATION_FAILED');
    expect(await refused(formOf(file).subarray(0, -30))).toBe('400 VALIDATION_FAILED');
    expect(await refused(formOf(file), { 'content-type': 'multipart/form-data' })).toBe('400 VALIDATION_FAILED');
    expect(await refused(Buffer.from('{}'), { 'content-type': 'application/json' })).toBe('415 UNSUPPORTED_MEDIA_TYPE');
    expect(await refused(formOf({ ...file, field: '__proto__' }))).toMatch(/^400 VALIDATION_FAILED/);
    expect([await rows(), await objects()]).toEqual(before);
    expect([await drafts(), await removals()]).toEqual([[], []]);
  });

  it('is no form on routes that take none', async () => {
    const answer = await admin.http.post('/templates', formOf({ filename: 'a', bytes: 'a' }), {
      headers: FORM_HEADERS,
    });
    expect(answer.outcome).toBe('415 UNSUPPORTED_MEDIA_TYPE');
  });

  it('keeps nothing of one that is a byte too large', async () => {
    const before = [await rows(), await objects()];
    const answer = await postForm(agent.http, formOf({ filename: 'a', bytes: Buffer.alloc(MAX_BYTES + 1) }));
    expect(answer.outcome).toBe('413 FILE_TOO_LARGE');
    expect([await rows(), await objects()]).toEqual(before);
    expect([await drafts(), await removals()]).toEqual([[], []]);
  });

  it('keeps nothing of one whose client went away at half', async () => {
    const before = [await rows(), await objects()];
    const form = formOf({ filename: 'half.bin', bytes: randomBytes(200_000) });
    const { port } = new URL(app.url);
    const socket = connect(Number(port), '127.0.0.1');
    const head = ['POST /files HTTP/1.1', 'host: x', `authorization: Bearer ${agent.http.accessToken}`];
    head.push(`content-type: ${FORM_HEADERS['content-type']}`, `content-length: ${form.length}`, '', '');
    socket.write(head.join('\r\n'));
    socket.write(form.subarray(0, 100_000));
    await eventually(async () => (await drafts()).length === 1, { what: 'the file is being stored' });
    expect(await removals()).toHaveLength(1);
    socket.destroy();
    await eventually(async () => (await removals()).length === 0, { what: 'the file is given up' });
    expect([await rows(), await objects(), await drafts()]).toEqual([...before, []]);
  });

  it('keeps nothing when it cannot be put on record', async () => {
    const before = [await rows(), await objects()];
    await app.owner.query('alter table files add constraint broken check (size_bytes <> 4242) not valid');
    const answer = await postForm(agent.http, formOf({ filename: 'a', bytes: Buffer.alloc(4242) }));
    await app.owner.query('alter table files drop constraint broken');
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect([await rows(), await objects(), await drafts(), await removals()]).toEqual([...before, [], []]);
  });

  it('offers no Idempotency-Key', async () => {
    const answer = await postForm(agent.http, formOf({ filename: 'a', bytes: 'a' }), { 'idempotency-key': 'one' });
    expect(answer.outcome).toBe('400 VALIDATION_FAILED');
  });
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
    expect([answer.outcome, answer.headers.get('content-range')]).toEqual(['416 RANGE_NOT_SATISFIABLE', 'bytes */10']);
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

describe('whose files', () => {
  let mine: WireFile;

  beforeAll(async () => {
    mine = await upload(agent.http, PNG, 'mine 100%.png');
  });

  it('another agent neither finds, reads nor changes it; who sees the tenant does', async () => {
    const { id } = mine;
    for (const call of [
      other.http.get(`/files/${id}`),
      other.http.get(`/files/${id}/metadata`),
      other.http.call('PATCH', `/files/${id}`, { name: 'b' }),
      other.http.post(`/files/${id}/link`, {}),
      other.http.delete(`/files/${id}`),
    ])
      expect((await call).outcome).toBe('404 NOT_FOUND');
    expect((await other.http.get<WireFile[]>('/files?limit=100')).body).toEqual([]);
    for (const reader of [admin, auditor]) {
      expect((await reader.http.get(`/files/${id}`)).status).toBe(200);
      const { body } = await reader.http.get<WireFile[]>('/files?limit=100');
      expect(body.map((file) => file.id)).toContain(id);
    }
    expect((await auditor.http.delete(`/files/${id}`)).outcome).toBe('403 FORBIDDEN');
    expect((await postForm(auditor.http, formOf({ filename: 'a', bytes: 'a' }))).outcome).toBe('403 FORBIDDEN');
  });

  it('are found by user, type and name, page by page', async () => {
    const ids = async (query: string) =>
      (await admin.http.get<WireFile[]>(`/files?${query}`)).body.map((file) => file.id);
    expect(await ids('q=100%25')).toEqual([mine.id]);
    expect(await ids(`q=MINE&mime_type=image/*&user_id=${agent.userId}`)).toEqual([mine.id]);
    expect(await ids('q=mine&mime_type=text/plain')).toEqual([]);
    expect(await ids(`user_id=${other.userId}`)).toEqual([]);
    const first = await admin.http.get<WireFile[]>('/files?limit=2&count=true');
    expect(first.headers.get('x-total-count')).toBe(String((await rows()).length));
    const next = /<([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await admin.http.get<WireFile[]>(next);
    const both = [...first.body, ...second.body].map((file) => file.id);
    expect([both.length, both]).toEqual([4, [...new Set(both)].sort().reverse()]);
  });
});

describe('PATCH /files/:id', () => {
  it('renames, against its ETag, and refuses names that are none', async () => {
    const { id } = await upload(agent.http, 'a', 'a.txt');
    const patch = (body: object, headers = {}) => agent.http.call<WireFile>('PATCH', `/files/${id}`, body, { headers });
    const etag = (await agent.http.get(`/files/${id}/metadata`)).headers.get('etag') ?? '';
    const renamed = await patch({ name: 'b.txt' }, { 'if-match': etag });
    expect([renamed.status, renamed.body.name]).toEqual([200, 'b.txt']);
    expect((await patch({ name: 'c.txt' }, { 'if-match': etag })).outcome).toBe('412 PRECONDITION_FAILED');
    expect((await agent.http.get(`/files/${id}`)).headers.get('content-disposition')).toBe(
      'attachment; filename=b.txt',
    );
    for (const name of ['../b', 'a\\b', 'a\nb', 'a\u202eb', '', ' ', 'x'.repeat(256), 5, null, '..'])
      expect((await patch({ name })).outcome).toBe('400 VALIDATION_FAILED');
    expect((await patch({ user_id: admin.userId })).outcome).toBe('400 VALIDATION_FAILED');
    expect((await recordsOf(id)).map(({ action }) => action)).toContain('FILE_UPDATED');
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
    expect([answer.status, answer.text, answer.headers.get('x-content-type-options')]).toEqual([206, '89', 'nosniff']);
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

describe('DELETE /files/:id', () => {
  it('removes row and object', async () => {
    const before = await objects();
    const { id } = await upload(agent.http, 'a', 'a.txt');
    expect((await agent.http.delete(`/files/${id}`, { headers: { 'if-match': '"9"' } })).outcome).toBe(
      '412 PRECONDITION_FAILED',
    );
    expect((await agent.http.delete(`/files/${id}`)).status).toBe(204);
    expect([await objects(), await removals()]).toEqual([before, []]);
    for (const gone of [agent.http.get(`/files/${id}`), agent.http.delete(`/files/${id}`)])
      expect((await gone).outcome).toBe('404 NOT_FOUND');
    expect((await recordsOf(id)).map(({ action }) => action)).toEqual(['FILE_UPLOAD', 'FILE_DELETED']);
  });
});

describe("another tenant's file", () => {
  it('is none', async () => {
    const { id } = await upload(agent.http, 'a', 'a.txt');
    const stranger = await app.login('TENANT_ADMIN', await app.make.tenant());
    for (const call of [stranger.http.get(`/files/${id}`), stranger.http.delete(`/files/${id}`)])
      expect((await call).outcome).toBe('404 NOT_FOUND');
    expect((await stranger.http.get<WireFile[]>('/files')).body).toEqual([]);
  });
});
