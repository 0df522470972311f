import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { FORM_HEADERS, formOf, postForm, upload, type WireFile } from '../support/files';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { storageDifferences } from '../support/storage';
import { type Store, STORES } from '../support/stores';
import { eventually } from '../support/wait';
import { PNG } from './media.harness';

/** More than S3 takes in one part. */
const MAX_BYTES = 12_000_000;
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

describe.each(STORES)('files on %s', (_name, startStore) => {
  let app: TestApp;
  let store: Store;
  let admin: LoggedIn;
  let agent: LoggedIn;
  let other: LoggedIn;
  let auditor: LoggedIn;

  const objects = () => store.objects(app.tenantId);
  const drafts = () => store.unfinished();
  const removals = async () => (await app.owner.query<object>('select * from object_removals')).rows;
  const rows = async () => (await app.owner.query<{ id: string }>('select id from files')).rows.map(({ id }) => id);
  const recordsOf = async (id: string) =>
    (
      await app.owner.query<{ action: string; actor_kind: string }>(
        'select action, actor_kind from audit_logs where resource = $1 order by at, id',
        [`file:${id}`],
      )
    ).rows;

  beforeAll(async () => {
    store = await startStore();
    app = await startTestApp({
      config: { ...store.config, MAX_UPLOAD_BYTES: String(MAX_BYTES) },
    });
    [admin, agent, other, auditor] = [
      await app.login('TENANT_ADMIN'),
      await app.login('AGENT'),
      await app.login('AGENT'),
      await app.login('AUDITOR'),
    ];
  });

  afterAll(async () => {
    await app.close();
    await store.close();
  });

  /** Whatever a test does, the running totals are what is kept. */
  afterEach(async () => expect(await storageDifferences(app.owner)).toEqual([]));

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

    it('names a file that has a type and no name by what it is', async () => {
      const { status, body } = await postForm(agent.http, formOf({ type: 'application/octet-stream', bytes: 'words' }));
      expect([status, body.name]).toEqual([201, expect.stringMatching(/^file\.\w+$/)]);
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
      expect(await refused(Buffer.from('{}'), { 'content-type': 'application/json' })).toBe(
        '415 UNSUPPORTED_MEDIA_TYPE',
      );
      expect(await refused(formOf({ ...file, field: '__proto__' }))).toMatch(/^400 VALIDATION_FAILED/);
      expect([await rows(), await objects()]).toEqual(before);
      expect([await drafts(), await removals()]).toEqual([0, []]);
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
      expect([await drafts(), await removals()]).toEqual([0, []]);
    });

    it('keeps nothing of one whose client went away at half', async () => {
      const before = [await rows(), await objects()];
      const form = formOf({ filename: 'half.bin', bytes: randomBytes(11_000_000) });
      const { port } = new URL(app.url);
      const socket = connect(Number(port), '127.0.0.1');
      const head = ['POST /files HTTP/1.1', 'host: x', `authorization: Bearer ${agent.http.accessToken}`];
      head.push(`content-type: ${FORM_HEADERS['content-type']}`, `content-length: ${form.length}`, '', '');
      socket.write(head.join('\r\n'));
      socket.write(form.subarray(0, 7_000_000));
      await eventually(async () => (await drafts()) === 1, { what: 'the file is being stored' });
      expect(await removals()).toHaveLength(1);
      socket.destroy();
      await eventually(async () => (await removals()).length === 0, { what: 'the file is given up' });
      expect([await rows(), await objects(), await drafts()]).toEqual([...before, 0]);
    });

    it('keeps nothing when it cannot be put on record', async () => {
      const before = [await rows(), await objects()];
      await app.owner.query('alter table files add constraint broken check (size_bytes <> 4242) not valid');
      const answer = await postForm(agent.http, formOf({ filename: 'a', bytes: Buffer.alloc(4242) }));
      await app.owner.query('alter table files drop constraint broken');
      expect(answer.status).toBeGreaterThanOrEqual(500);
      expect([await rows(), await objects(), await drafts(), await removals()]).toEqual([...before, 0, []]);
    });

    it('offers no Idempotency-Key', async () => {
      const answer = await postForm(agent.http, formOf({ filename: 'a', bytes: 'a' }), { 'idempotency-key': 'one' });
      expect(answer.outcome).toBe('400 VALIDATION_FAILED');
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
      const patch = (body: object, headers = {}) =>
        agent.http.call<WireFile>('PATCH', `/files/${id}`, body, { headers });
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
});
