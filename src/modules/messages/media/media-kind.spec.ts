import { fileKindOf, fileNameOf, isSentAs } from './media-kind';

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

describe('isSentAs', () => {
  it('keeps kinds apart', () => {
    expect(
      ['image/png', 'video/mp4', 'audio/ogg; codecs=opus', 'text/plain'].map((mime) => isSentAs('image', mime)),
    ).toEqual([true, false, false, false]);
    expect(
      ['audio/mpeg', 'audio/ogg; codecs=opus', 'video/webm', 'image/png'].map((mime) => isSentAs('voice', mime)),
    ).toEqual([true, true, true, false]);
    expect(['video/mp4', 'video/quicktime', 'image/gif'].map((mime) => isSentAs('video', mime))).toEqual([
      true,
      true,
      false,
    ]);
    expect(['image/png', 'application/octet-stream'].map((mime) => isSentAs('file', mime))).toEqual([true, true]);
  });
});

describe('fileNameOf', () => {
  const kind = { mimeType: 'application/pdf', extension: 'pdf' };
  it.each([
    ['given.pdf', 'https://example.com/other.pdf', 'given.pdf'],
    [null, 'https://example.com/a/Invoice%207.pdf?x=/y.png', 'Invoice 7.pdf'],
    [null, 'https://example.com/', 'file.pdf'],
    [null, 'https://example.com/download', 'file.pdf'],
    [null, 'https://example.com/..%2F..%2Fpasswd.txt', 'file.pdf'],
    [null, 'https://example.com/%E0%A4.pdf', 'file.pdf'],
    [null, 'https://example.com/a%00.pdf', 'file.pdf'],
  ])('of %s at %s is %s', (given, address, name) => expect(fileNameOf(given, address, kind)).toBe(name));
});
