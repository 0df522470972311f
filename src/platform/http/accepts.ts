/**
 * Of the media types that a route offers, the one that `Accept` wants most (RFC 9110 §12.5.1): by quality, then by how closely
 * it is named, then in the order offered. The first also where the client wants none of them or says nothing.
 */
export function preferredType<T extends string>(accept: string | undefined, offered: readonly [T, ...T[]]): T {
  const ranges = (accept ?? '*/*').toLowerCase().split(',').map(rangeOf);
  const wishes = offered.map((type) => ({ type, ...wishFor(type, ranges) })).filter(({ quality }) => quality > 0);
  wishes.sort((a, b) => b.quality - a.quality || b.precision - a.precision);
  return wishes[0]?.type ?? offered[0];
}

interface Range {
  name: string;
  quality: number;
}

function rangeOf(text: string): Range {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  return { name, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
}

/** The closest range counts, whatever quality a wider one has. */
function wishFor(type: string, ranges: Range[]): { quality: number; precision: number } {
  const names = ['*/*', `${type.split('/', 1)[0]}/*`, type];
  for (let precision = names.length - 1; precision >= 0; precision -= 1) {
    const range = ranges.find(({ name }) => name === names[precision]);
    if (range) return { quality: range.quality, precision };
  }
  return { quality: 0, precision: 0 };
}
