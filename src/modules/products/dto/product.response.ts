import { ApiProperty } from '@nestjs/swagger';
import { decimal } from '../../../common/money';
import type { ProductRow } from '../product';

/** Something that the business sells. */
export class ProductResponse {
  /** @example prod_001 */
  id: string;
  name: string;

  @ApiProperty({ type: String, nullable: true })
  brand: string | null;

  @ApiProperty({ type: String, nullable: true })
  category: string | null;

  /** A decimal in the tenant's currency, of at most 4 places, written as it is stored, without zeros at its end. @example 12.5 */
  @ApiProperty({ type: Number, format: 'decimal' })
  price: number;

  /** Pieces that there are. */
  @ApiProperty({ type: 'integer' })
  stock: number;

  @ApiProperty({ type: String, nullable: true })
  description: string | null;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  image_file_id: string | null;

  @ApiProperty({ type: 'object', additionalProperties: true })
  attributes: Record<string, unknown>;

  @ApiProperty({ type: String, format: 'date-time' })
  created_at: Date | string;

  @ApiProperty({ type: String, format: 'date-time' })
  updated_at: Date | string;
}

/** Lists each field by hand: a new column stays private until somebody adds it. */
export const productResponse = (row: ProductRow): ProductResponse => ({
  id: row.id,
  name: row.name,
  brand: row.brand,
  category: row.category,
  price: decimal(row.price),
  stock: row.stock,
  description: row.description,
  image_file_id: row.image_file_id,
  attributes: row.attributes,
  created_at: row.created_at,
  updated_at: row.updated_at,
});
