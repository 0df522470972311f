import { idCursor, idPlaceOf } from './id-cursor';
import { MAX_OFFSET } from './paging';

describe('a cursor of a list in the order of ids', () => {
  const id = '01f00000-0000-7000-8000-00000000002a';

  it.each([0, 1, 25, MAX_OFFSET])('says after which id the page begins, and after how many more rows: %p', (skip) => {
    expect(idPlaceOf(idCursor({ id, skip }))).toEqual({ id, skip });
  });

  it('is the id alone where nothing is to be skipped', () => {
    expect(idCursor({ id, skip: 0 })).toBe(id);
  });

  it.each(['', '.5', 'x', 'x.5', `${id}.`, `${id}.0`, `${id}.-1`, `${id}.1.1`, `${id}.1e3`, `${id}.${MAX_OFFSET + 1}`])(
    'is not %p',
    (text) => {
      expect(idPlaceOf(text)).toBeNull();
    },
  );
});
