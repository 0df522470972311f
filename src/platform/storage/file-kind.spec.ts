import { fileKindOf } from './file-kind';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe('fileKindOf', () => {
  it('goes by the bytes', async () => {
    expect(await fileKindOf(PNG)).toEqual({ mimeType: 'image/png', extension: 'png' });
    expect((await fileKindOf(Buffer.from('%PDF-1.7\n%abc\n'))).mimeType).toBe('application/pdf');
  });

  it('takes for text what reads as text, also where a character is cut in two', async () => {
    expect((await fileKindOf(Buffer.from('name;größe\n'))).mimeType).toBe('text/plain');
    expect((await fileKindOf(Buffer.from('größe 🙂').subarray(0, -2))).mimeType).toBe('text/plain');
  });

  it.each([Buffer.from([0, 1, 2, 3]), Buffer.from([0xff, 0xfe, 0xfd, 0x80, 0x81, 0x82, 0x83]), PNG.subarray(0, 5)])(
    'knows nothing of other bytes, and of none that are cut short',
    async (bytes) => expect((await fileKindOf(bytes)).mimeType).toBe('application/octet-stream'),
  );
});
