import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { upload } from '../support/files';
import { type LoggedIn, startTestApp, type TestApp } from '../support/running-app';
import { imported } from './imports.harness';

let app: TestApp;
let folder: string;
let manager: LoggedIn;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'uploads-again-'));
  app = await startTestApp({ config: { STORAGE_PATH: folder } });
  manager = await app.login('MANAGER');
  // The first statement of each kind gives way to a deadlock. What a sequence gave stays given, also when that is rolled back.
  await app.owner.query(`
    create sequence files_tried;
    create sequence imports_tried;
    create function give_way() returns trigger language plpgsql security definer as $$
      begin
        if nextval(tg_argv[0]::regclass) = 1 then
          raise exception 'gave way' using errcode = 'deadlock_detected';
        end if;
        return new;
      end $$;
    create trigger gives_way before insert on files for each row execute function give_way('files_tried');
    create trigger gives_way before update on imports for each row
      when (new.status = 'queued' and old.status = 'uploading') execute function give_way('imports_tried')`);
});

afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

const tries = async (sequence: string) =>
  (await app.owner.query<{ n: number }>(`select last_value::int as n from ${sequence}`)).rows[0]?.n;
const records = async (action: string) =>
  (await app.owner.query('select from audit_logs where action = $1', [action])).rowCount;

describe('where the database breaks a deadlock', () => {
  it('a file is kept all the same, once', async () => {
    const { id } = await upload(manager.http, 'bytes');
    const { rows } = await app.owner.query<object>('select id from files');
    expect([rows, await tries('files_tried'), await records('FILE_UPLOAD')]).toEqual([[{ id }], 2, 1]);
  });

  it('an import is queued all the same, once', async () => {
    const { status, rows } = await imported(manager.http, 'products', 'id,name,price\np_1,Watch,5\n');
    expect([status, rows.inserted]).toEqual(['finished', 1]);
    expect([await tries('imports_tried'), await records('IMPORT_STARTED')]).toEqual([2, 1]);
  });
});
