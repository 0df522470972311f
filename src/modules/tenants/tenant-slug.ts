import { randomBytes } from 'node:crypto';
import { isId } from '../../common/ids';

const MAX_LENGTH = 50;

/** The slug of the demo tenant, which the seed fills: nobody else may have it. */
export const DEMO_SLUG = 'demo';

/**
 * The slug that a name asks for: accents dropped, everything but letters and digits a hyphen, 2 to 50 characters. A name
 * with nothing to keep, one that reads like an id, or one that is reserved gives a slug with a random end.
 */
export function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_LENGTH)
    .replace(/^-+|-+$/g, '');
  if (slug.length < 2) return withRandomEnd(slug || 'tenant');
  return slug === DEMO_SLUG || isId(slug) ? withRandomEnd(slug) : slug;
}

/** The same slug with six random characters at its end, for a slug that is taken. */
export const withRandomEnd = (slug: string): string => `${slug}-${randomBytes(3).toString('hex')}`;

/** The rule of the table, but for what could be taken for an id. */
const SLUG = /^[a-z0-9][a-z0-9-]{1,62}$/;

/** Whether a tenant can have this slug: 2 to 63 lower-case letters, digits and hyphens, and no id. */
export const isSlug = (text: unknown): boolean => typeof text === 'string' && SLUG.test(text) && !isId(text);
