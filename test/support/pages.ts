import type { HttpAnswer, HttpClient } from './http-client';

/** What a list has in all, page by page. @throws Error where a page is refused */
export async function allPages<T>(http: HttpClient, path: string): Promise<T[]> {
  const found: T[] = [];
  let next: string | undefined = path;
  while (next !== undefined) {
    const page: HttpAnswer<T[]> = await http.get(next);
    if (page.status !== 200) throw new Error(`Listing gave ${page.outcome}`);
    found.push(...page.body);
    next = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
  }
  return found;
}
