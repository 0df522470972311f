import { isId } from '../../common/ids';
import { requestIdOf } from './request-id';

describe('requestIdOf', () => {
  it.each([
    'trace-12345678',
    '01890000-0000-7000-8000-000000000001',
    'a.b_c-d.e',
    '7',
    'Root=1-67891233-abcdef012345678912345678',
    'projects/x:run@7',
    'dGhpcyBpcw+/==',
    'x'.repeat(128),
  ])('keeps the sane %s', (id) => {
    expect(requestIdOf(id)).toBe(id);
  });

  it.each([
    undefined,
    '',
    'two words',
    '<script>',
    'x'.repeat(129),
    'line\nbreak-12',
    'näme-12345',
    ['twice-12345678', 'twice-12345678'],
  ])('replaces %j', (given) => {
    expect(isId(requestIdOf(given))).toBe(true);
  });
});
