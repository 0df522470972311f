/** What can be exported. */
export type ExportKindName = 'products' | 'customers' | 'orders';

/** A column of an export: its value in SQL, of the row `t`, as JSON and, where that differs, as the text of a cell. */
interface ExportColumn {
  json: string;
  cell?: string;
}

/** The rows of one table, as they are exported. */
export interface ExportKind {
  name: ExportKindName;
  columns: readonly string[];
  /** The next rows by id: $1 the tenant, $2 the id before, $3 how many. Each has its `id` and `line`, a JSON text. */
  lines: string;
  /** The same with `cells`, the texts of the columns. */
  cells: string;
}

const money = (column: string): ExportColumn => ({ json: `trim_scale(t.${column})` });
const time = (column: string): ExportColumn => ({
  json: `to_char(t.${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
});
const plain = (column: string): ExportColumn => ({ json: `t.${column}` });

/** Texts are built of constants of this file. */
function kindOf(name: ExportKindName, columns: Readonly<Record<string, ExportColumn>>, where = 'true'): ExportKind {
  const rows = (what: string) => `select ${what} from ${name} t
    where t.tenant_id = $1 and t.id > $2 and ${where} order by t.id limit $3`;
  const entries = Object.entries(columns);
  const cells = entries.map(([, { json, cell = json }]) => `(${cell})::text`);
  return {
    name,
    columns: Object.keys(columns),
    lines: `select r.id, row_to_json(r)::text as line from (${rows(
      entries.map(([column, { json }]) => `${json} as ${column}`).join(', '),
    )}) r`,
    cells: rows(`t.id, array[${cells.join(', ')}] as cells`),
  };
}

// Whatever stands in one cell is read back as what it was (modules/imports): JSON where a plain text could be mistaken.
const TAGS = `case when array_to_string(t.tags, ' ') ~ '(^[[])|;' then to_json(t.tags)::text else array_to_string(t.tags, ';') end`;
const ADDRESS = `case when jsonb_typeof(t.address) = 'string' and t.address #>> '{}' !~ '^\\s*["{]' then t.address #>> '{}'
  else t.address::text end`;

const ITEMS = `(select coalesce(json_agg(json_build_object('product_id', i.product_id, 'quantity', i.quantity,
    'unit_price', trim_scale(i.unit_price)) order by i.position), '[]')
  from order_items i where i.tenant_id = t.tenant_id and i.order_id = t.id)`;

export const EXPORT_KINDS: Readonly<Record<ExportKindName, ExportKind>> = {
  products: kindOf('products', {
    id: plain('id'),
    name: plain('name'),
    brand: plain('brand'),
    category: plain('category'),
    price: money('price'),
    stock: plain('stock'),
    description: plain('description'),
    image_file_id: plain('image_file_id'),
    attributes: plain('attributes'),
    created_at: time('created_at'),
    updated_at: time('updated_at'),
  }),
  // Of one who was anonymised nothing is left to export.
  customers: kindOf(
    'customers',
    {
      id: plain('id'),
      email: plain('email'),
      name: plain('name'),
      tier: plain('tier'),
      phone: plain('phone'),
      address: { json: 't.address', cell: ADDRESS },
      tags: { json: 't.tags', cell: TAGS },
      created_at: time('created_at'),
      updated_at: time('updated_at'),
    },
    't.anonymised_at is null',
  ),
  orders: kindOf('orders', {
    id: plain('id'),
    customer_id: plain('customer_id'),
    status: plain('status'),
    items: { json: ITEMS },
    total: money('total'),
    currency: plain('currency'),
    created_at: time('created_at'),
    updated_at: time('updated_at'),
  }),
};
