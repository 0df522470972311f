import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsString, Length, Matches } from 'class-validator';
import { Money } from '../../../platform/http/money.rule';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { OrderedPageQuery } from '../../../platform/http/page.query';
import { PRODUCT_SORTS, type ProductFilter, type ProductSort } from '../products.list';

const ANY_LENGTH = 100;

/** Which products are listed, and in which order. */
export class ListProductsQuery extends OrderedPageQuery {
  /** The whole category, spelled as it is. */
  @Optional()
  @DisplayName(ANY_LENGTH)
  category?: string;

  /** The whole brand, spelled as it is. */
  @Optional()
  @DisplayName(ANY_LENGTH)
  brand?: string;

  /** The lowest price, included. */
  @Optional()
  @Money()
  minPrice?: string;

  /** The highest price, included. */
  @Optional()
  @Money()
  maxPrice?: string;

  /**
   * Words, each of which occurs in the name, the brand or the category, in whatever case; one of one or two characters only
   * where a word begins with it.
   */
  @Optional()
  @IsString()
  @Length(1, 200)
  @Matches(/\S/, { message: 'q must not be blank' })
  q?: string;

  @ApiPropertyOptional({ type: Boolean, description: 'Whether there are pieces of it' })
  @Optional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  in_stock?: boolean;

  @ApiPropertyOptional({ enum: PRODUCT_SORTS, description: 'Newest first without it; `created_at`: oldest first' })
  @Optional()
  @IsIn(PRODUCT_SORTS)
  sort?: ProductSort;
}

/** The filter that the query asks for. */
export function productFilterOf(query: ListProductsQuery): ProductFilter {
  const { category, brand, minPrice, maxPrice, in_stock: inStock, q, sort } = query;
  return { category, brand, minPrice, maxPrice, inStock, q, sort };
}
