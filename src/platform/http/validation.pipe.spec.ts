import { Type } from 'class-transformer';
import { IsArray, IsInt, IsString, Length, ValidateNested } from 'class-validator';
import { AppError } from '../../common/app-error';
import { FreeObject } from './free-object.rule';
import { Optional } from './optional.rule';
import { ApiValidationPipe } from './validation.pipe';
import { IdPipe } from './id-param';

class Item {
  @IsString()
  sku: string;
}

class Order {
  @IsInt()
  amount: number;

  @Optional()
  @FreeObject(1000)
  metadata?: Record<string, unknown>;

  @Optional()
  @IsString()
  @Length(2, 4)
  note?: string;

  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Item)
  items: Item[];
}

const pipe = new ApiValidationPipe();
const body = (value: unknown) => pipe.transform(value, { type: 'body', metatype: Order });

async function refusal(value: unknown): Promise<AppError> {
  const error: unknown = await body(value).catch((thrown: unknown) => thrown);
  if (error instanceof AppError) return error;
  throw new Error('It was not refused');
}

describe('ApiValidationPipe', () => {
  it('makes an instance of what is right', async () => {
    const order = await body({ amount: 1, items: [{ sku: 'a' }] });
    expect(order).toBeInstanceOf(Order);
    expect((order as Order).items[0]).toBeInstanceOf(Item);
  });

  it('names each field at fault by its path, the unknown ones too', async () => {
    const { code, details } = await refusal({ amount: '1', items: [{ sku: 'a' }, { sku: 5, price: 1 }] });
    expect(code).toBe('VALIDATION_FAILED');
    expect(details?.map(({ field }) => field).sort()).toEqual(['amount', 'items.1.price', 'items.1.sku']);
  });

  it('converts nothing on its own', async () => {
    expect((await refusal({ amount: '1', items: [] })).details).toEqual([
      { field: 'amount', message: 'amount must be an integer number' },
    ]);
  });

  it.each([
    [{ items: [] }, { field: 'amount', message: 'amount is required' }],
    [
      { amount: 1, items: [], note: 7 },
      { field: 'note', message: 'note must be a string' },
    ],
    [
      { amount: 1, items: [], note: null },
      { field: 'note', message: 'note must be a string' },
    ],
    [
      { amount: 1, items: [], note: 'x' },
      { field: 'note', message: 'note must be longer than or equal to 2 characters' },
    ],
    [
      { amount: 1, items: [{}] },
      { field: 'items.0.sku', message: 'sku is required' },
    ],
    [
      { amount: 1, items: 'none' },
      { field: 'items', message: 'items must be an array' },
    ],
    [
      { amount: 1, items: [], metadata: [] },
      { field: 'metadata', message: 'metadata must be an object' },
    ],
    [
      { amount: 1, items: [], metadata: null },
      { field: 'metadata', message: 'metadata must be an object' },
    ],
  ])('says of %j only what the caller can act on', async (value, detail) => {
    expect((await refusal(value)).details).toEqual([detail]);
  });

  it.each(['toString', 'constructor', 'hasOwnProperty', '__proto__', 'valueOf'])(
    'refuses a field named %s, inside as well',
    async (name) => {
      const field = JSON.parse(`{ "${name}": 1 }`) as object;
      const message = 'This field is not known here';
      const outer = Object.defineProperty({ amount: 1, items: [] }, name, { value: 1, enumerable: true });
      expect((await refusal(outer)).details).toEqual([{ field: name, message }]);
      expect((await refusal({ amount: 1, items: [field] })).details).toEqual([{ field: `items.0.${name}`, message }]);
    },
  );

  it.each([
    '{"valueOf":1,"a":{"toString":"kept?","constructor":{"x":1}}}',
    '{"constructor":{"x":1},"hasOwnProperty":true,"then":"later"}',
    '{"a":[[{"constructor":null}]],"length":3}',
    '{}',
  ])('leaves the free object %s as it is', async (text) => {
    const metadata: unknown = JSON.parse(text);
    const order = (await body({ amount: 1, items: [], metadata })) as Order;
    expect(JSON.stringify(order.metadata)).toBe(text);
  });

  it('takes a missing body as an empty one', async () => {
    expect((await refusal(undefined)).details?.map(({ field }) => field)).toContain('amount');
  });

  it('stops naming fields after a hundred', async () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`field${index}`, 1]));
    expect((await refusal(many)).details).toHaveLength(100);
  });
});

describe('IdPipe', () => {
  it('gives ids in their canonical spelling', () => {
    const id = '01890000-0000-7000-8000-00000000000A';
    expect(new IdPipe('id').transform(id)).toBe(id.toLowerCase());
  });

  it.each(['', '1', 'null', '01890000-0000-7000-8000-00000000000g', "' or 1=1"])('refuses "%s"', (text) => {
    expect(() => new IdPipe('message_id').transform(text)).toThrow(AppError);
  });
});
