import { formOf, postForm, upload } from '../support/files';
import { startTestApp, type TestApp } from '../support/running-app';
import { type S3Server, startS3 } from '../support/s3';
import { PNG } from './media.harness';

describe('files in a service that speaks S3', () => {
  let s3: S3Server;
  let app: TestApp;

  beforeAll(async () => {
    s3 = await startS3();
    const { endpoint, region, bucket, accessKeyId, secretAccessKey } = s3.settings;
    app = await startTestApp({
      config: {
        ...{ STORAGE: 's3', S3_ENDPOINT: endpoint, S3_REGION: region, S3_BUCKET: bucket, S3_PREFIX: 'ours' },
        ...{ S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey, S3_FORCE_PATH_STYLE: 'true' },
        MAX_UPLOAD_BYTES: '12000000',
      },
    });
  });

  afterAll(async () => {
    await app.close();
    await s3.close();
  });

  it('are stored, read in parts, bounded and deleted as on a disk', async () => {
    const { http } = await app.login('MANAGER');
    const bytes = Buffer.alloc(11_000_000, PNG);
    const file = await upload(http, bytes, 'large.png');
    expect([file.size, file.mime_type]).toEqual([bytes.length, 'image/png']);
    expect((await http.get(`/files/${file.id}`)).bytes.equals(bytes)).toBe(true);
    const part = await http.get(`/files/${file.id}`, { headers: { range: 'bytes=-5' } });
    expect([part.status, part.bytes.equals(bytes.subarray(-5))]).toEqual([206, true]);
    const form = formOf({ filename: 'a', bytes: Buffer.alloc(12_000_001) });
    expect((await postForm(http, form)).outcome).toBe('413 FILE_TOO_LARGE');
    expect(await s3.unfinished()).toBe(0);
    expect((await http.delete(`/files/${file.id}`)).status).toBe(204);
    expect((await app.owner.query('select from object_removals')).rowCount).toBe(0);
  });
});
