import type { Catalogue } from './fill-products';
import type { ListScenario } from './scenarios';

const list = (title: string, query: (catalogue: Catalogue) => string, indexed = true): ListScenario<Catalogue> => ({
  title: `\`GET /products\`, ${title}`,
  path: (catalogue) => `/products?limit=20&${query(catalogue)}`,
  indexed,
});

/** Each filter and each order, and searches for what is common, for what is rare and old, and for what the order puts last. */
export const PRODUCT_SCENARIOS: ListScenario<Catalogue>[] = [
  list('first page', () => ''),
  list('deep page by cursor', ({ deep }) => `cursor=${deep}`),
  list('counted', () => 'count=true', false),
  list('`offset=2000`', () => 'offset=2000', false),
  list('`sort=price`', () => 'sort=price'),
  list('`sort=price`, deep page by cursor', ({ dear }) => `sort=price&cursor=${dear}`),
  list('`sort=-price`', () => 'sort=-price'),
  list('`sort=name`', () => 'sort=name'),
  list('`sort=created_at`', () => 'sort=created_at'),
  list('`category`', () => 'category=sport'),
  list('`category`, few and old', () => 'category=rare'),
  list('`category`, `sort=price`, deep page by cursor', ({ dear }) => `category=sport&sort=price&cursor=${dear}`),
  list('`brand`, `sort=name`', () => 'brand=Rolex&sort=name'),
  list('`in_stock=true`', () => 'in_stock=true'),
  list('`in_stock=false`', () => 'in_stock=false'),
  list('`category`, `in_stock` and `sort=-price`', () => 'category=sport&in_stock=true&sort=-price'),
  list('`minPrice`, `maxPrice`, `sort=price`', () => 'minPrice=5000&maxPrice=6000&sort=price'),
  list('`q`', () => 'q=daytona'),
  list('`q`, `sort=price`', () => 'q=daytona+rolex&sort=price', false),
  list('`q`, counted', () => 'q=daytona&count=true', false),
  list('`q`, `offset=2000`', () => 'q=daytona&offset=2000', false),
  list('`q`, few and old', () => 'q=needle', false),
  list('`q` of each tenth, which the order puts last', () => 'q=tourbillon&sort=price', false),
];
