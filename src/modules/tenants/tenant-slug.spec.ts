import { newId } from '../../common/ids';
import { slugOf, withRandomEnd } from './tenant-slug';

/** The rule of the table `tenants`. */
const RULE = /^[a-z0-9][a-z0-9-]{1,62}$/;

describe('slugOf', () => {
  it.each([
    ['Acme Ltd.', 'acme-ltd'],
    ['Café Zürich', 'cafe-zurich'],
    ['  --A  &  B--  ', 'a-b'],
    ['acme.co.uk', 'acme-co-uk'],
  ])('makes of %j %j', (name, slug) => {
    expect(slugOf(name)).toBe(slug);
  });

  it.each(['', '商店', 'x', '---', newId(), 'Demo', 'y'.repeat(500), `${'y'.repeat(49)}-z`])(
    'keeps the rule of the table for %j',
    (name) => {
      expect(slugOf(name)).toMatch(RULE);
      expect(withRandomEnd(slugOf(name))).toMatch(RULE);
    },
  );

  it('gives nobody the slug of the demo tenant', () => {
    expect(slugOf('demo')).toMatch(/^demo-[0-9a-f]{6}$/);
  });

  it('gives nobody a slug that could be taken for the id of another tenant', () => {
    const id = newId();
    expect(slugOf(id)).toMatch(new RegExp(`^${id}-[0-9a-f]{6}$`));
  });
});
