import type { HttpAnswer } from '../support/http-client';
import { makeProduct, type WireProduct } from '../support/products';
import { startTestApp, type LoggedIn, type TestApp } from '../support/running-app';

let app: TestApp;
let reader: LoggedIn;

const WATCHES = [
  ['Submariner', 'Rolex', 'sport', '8100', 2],
  ['Daytona', 'Rolex', 'sport', '15000.5', 0],
  ['Speedmaster', 'Omega', 'sport', '6300', 5],
  ['Calatrava', 'Patek Philippe', 'dress', '30000', 1],
  ['Tank', 'Cartier', 'dress', '2900.25', 0],
  ['100% Steel_Band', null, null, '0', 9],
  ['Zeta', 'Rolex', 'dress', '8100', 1],
] as const;

beforeAll(async () => {
  app = await startTestApp();
  reader = await app.login('MANAGER', await app.make.tenant());
  const stranger = await app.login('MANAGER');
  for (const [at, [name, brand, category, price, stock]] of WATCHES.entries()) {
    await makeProduct(reader.http, { id: `w${at}`, name, brand, category, price, stock });
    await makeProduct(stranger.http, { id: `w${at}`, name: `${name} of somebody`, brand, category, price, stock });
  }
});

afterAll(() => app.close());

const get = (query: string) => reader.http.get<WireProduct[]>(`/products${query}`);
const ids = async (query: string): Promise<number[]> => (await get(query)).body.map(({ id }) => Number(id.slice(1)));

/** All pages of the list, followed by their links. */
async function pagesOf(query: string): Promise<number[][]> {
  const pages: number[][] = [];
  for (let next: string | undefined = `/products${query}`; next;) {
    const answer: HttpAnswer<WireProduct[]> = await reader.http.get<WireProduct[]>(next);
    pages.push(answer.body.map(({ id }) => Number(id.slice(1))));
    next = /<([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  return pages;
}

describe('GET /products', () => {
  it.each([
    ['', [6, 5, 4, 3, 2, 1, 0]],
    ['?sort=created_at', [0, 1, 2, 3, 4, 5, 6]],
    ['?sort=price', [5, 4, 2, 0, 6, 1, 3]],
    ['?sort=-price', [3, 1, 6, 0, 2, 4, 5]],
    ['?sort=name', [5, 3, 1, 2, 0, 4, 6]],
    ['?category=sport', [2, 1, 0]],
    ['?category=SPORT', []],
    ['?brand=Rolex&sort=name', [1, 0, 6]],
    ['?category=dress&brand=Rolex', [6]],
    ['?minPrice=8100&maxPrice=15000.5&sort=price', [0, 6, 1]],
    ['?minPrice=8100.0001&sort=price', [1, 3]],
    ['?maxPrice=2900.25&sort=price', [5, 4]],
    ['?minPrice=3&maxPrice=2', []],
    ['?in_stock=true&sort=created_at', [0, 2, 3, 5, 6]],
    ['?in_stock=false&sort=created_at', [1, 4]],
    ['?q=MASTER', [2]],
    ['?q=rolex', [6, 1, 0]],
    ['?q=rolex%20SPORT&sort=name', [1, 0]],
    ['?q=sport%20rolex%20%20day', [1]],
    ['?q=00%25', [5]],
    ['?q=l_b', [5]],
    ['?q=_', []],
    ['?q=%25%25%25', []],
    ['?q=Ze', [6]],
    ['?q=et', []],
    ['?q=t', [4]],
    ['?q=somebody', []],
    ['?q=patek&in_stock=true&minPrice=1&category=dress', [3]],
  ])('%s gives %j, in one page and in many', async (query, expected) => {
    expect(await ids(query)).toEqual(expected);
    const sign = query === '' ? '?' : '&';
    const pages = await pagesOf(`${query}${sign}limit=2`);
    expect(pages.flat()).toEqual(expected);
    expect(pages.slice(0, -1).every((page) => page.length === 2)).toBe(true);
    const counted = await get(`${query}${sign}count=true&limit=1`);
    expect(counted.headers.get('x-total-count')).toBe(String(expected.length));
    const skipped = await ids(`${query}${sign}offset=1&limit=3`);
    expect(skipped).toEqual(expected.slice(1, 4));
  });

  it('goes on where a cursor says, whatever became of the row that it was made of', async () => {
    const { body, headers } = await get('?sort=price&limit=3');
    const next = /<([^>]+)>/.exec(headers.get('link') ?? '')?.[1] ?? '';
    const last = body.at(-1) as WireProduct;
    const { id, ...rest } = last;
    await reader.http.delete(`/products/${id}`);
    expect((await reader.http.get<WireProduct[]>(next)).body.map((each) => each.id)).toEqual(['w0', 'w6', 'w1']);
    await makeProduct(reader.http, {
      id,
      name: rest.name,
      brand: rest.brand,
      category: rest.category,
      price: rest.price,
      stock: rest.stock,
    });
    await app.owner.query(`update products set created_at = $1 where id = $2 and name = $3`, [
      rest.created_at,
      id,
      rest.name,
    ]);
  });

  it.each([
    ['limit', 'limit=0'],
    ['limit', 'limit=101'],
    ['sort', 'sort=stock'],
    ['sort', 'sort=-name'],
    ['minPrice', 'minPrice=x'],
    ['maxPrice', 'maxPrice=-1'],
    ['in_stock', 'in_stock=yes'],
    ['q', 'q='],
    ['q', 'q=%20'],
    ['category', 'category='],
    ['colour', 'colour=red'],
    ['cursor', 'cursor=x'],
    ['cursor', `cursor=${Buffer.from('["newest","2026-01-01","w1"]').toString('base64url')}`],
    ['cursor', `cursor=${Buffer.from('["price","0000000000000081000","w1"]').toString('base64url')}`],
    ['cursor', `sort=name&cursor=${Buffer.from('["name","a\\u0000","w1"]').toString('base64url')}`],
    ['cursor', `sort=price&cursor=${Buffer.from('["price","1","w1"]').toString('base64url')}`],
    [
      'cursor',
      `sort=price&offset=1&cursor=${Buffer.from('["price","0000000000000081000","w1"]').toString('base64url')}`,
    ],
  ])('refuses the %s of %s', async (field, query) => {
    const answer = await reader.http.get<{ details: { field: string }[] }>(`/products?${query}`);
    expect([answer.outcome, answer.body.details.map((detail) => detail.field)]).toEqual([
      '400 VALIDATION_FAILED',
      [field],
    ]);
  });
});

describe('GET /products?q= of what no index tells of, among very many', () => {
  it('goes on in Link over pages that are short, and has all of them in order in the end', async () => {
    const owner = await app.login('MANAGER', await app.make.tenant());
    await app.owner.query(
      `insert into products (tenant_id, id, name, price)
        select $1, 'p' || n, case when n <= 50000 then 'Quartz ' else 'Tourbillon - ' end || n, n from generate_series(1, 60500) n`,
      [owner.tenantId],
    );
    const pages: string[][] = [];
    let next: string | undefined = '/products?q=-&sort=price&limit=3&offset=1';
    while (next !== undefined && pages.flat().length < 7) {
      const answer: HttpAnswer<WireProduct[]> = await owner.http.get<WireProduct[]>(next);
      expect(answer.status).toBe(200);
      pages.push(answer.body.map(({ id }) => id));
      next = /<([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    const wanted = Array.from({ length: 9 }, (_, nth) => `p${50_002 + nth}`);
    expect(pages).toEqual([[], wanted.slice(0, 3), wanted.slice(3, 6), wanted.slice(6)]);
    const total = async (query: string) =>
      (await owner.http.get(`/products?${query}&count=true&limit=1`)).headers.get('x-total-count');
    expect(await total('q=tourbillon')).toBe('10000+');
    expect(await total('q=tourbillon%2060500')).toBe('1');
    expect(await total('q=quartz%20tourbillon')).toBe('0');
    expect(await total('q=-')).toMatch(/^\d+\+$/);
  }, 120_000);
});
