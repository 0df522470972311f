import { Type } from 'class-transformer';
import { IsArray, IsInt, IsString, ValidateNested } from 'class-validator';
import { AppError } from '../../common/app-error';
import { ApiValidationPipe } from './validation.pipe';
import { IdPipe } from './id-param';

class Item {
  @IsString()
  sku: string;
}

class Order {
  @IsInt()
  amount: number;

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
