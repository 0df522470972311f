import { fileNameOf, isSentAs } from './media-kind';

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
