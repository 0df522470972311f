import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsString, Length, Matches, Max, MaxLength, Min } from 'class-validator';
import { TEXT_ID } from '../../../common/ids';
import { Id } from '../../../platform/http/id.rule';
import { Money } from '../../../platform/http/money.rule';
import { DisplayName } from '../../../platform/http/name.rule';
import { Optional, OptionalOrNull } from '../../../platform/http/optional.rule';
import { MAX_STOCK, type ProductFields } from '../product';
import { Attributes } from './attributes.rule';

const NAME_CHARACTERS = 200;
const LABEL_CHARACTERS = 100;
const DESCRIPTION_CHARACTERS = 10_000;

/** What may be left out of a product, and be `null` where there is none. */
class ProductDetailsDto {
  @ApiPropertyOptional({ type: String, nullable: true, example: 'Rolex' })
  @OptionalOrNull()
  @DisplayName(LABEL_CHARACTERS)
  brand?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, example: 'sport' })
  @OptionalOrNull()
  @DisplayName(LABEL_CHARACTERS)
  category?: string | null;

  /** Pieces that there are. */
  @Optional()
  @IsInt({ message: '$property must be a whole number' })
  @Min(0)
  @Max(MAX_STOCK)
  stock?: number;

  @ApiPropertyOptional({ type: String, nullable: true, maxLength: DESCRIPTION_CHARACTERS })
  @OptionalOrNull()
  @IsString()
  @MaxLength(DESCRIPTION_CHARACTERS)
  description?: string | null;

  @ApiPropertyOptional({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'A file of the tenant; a key needs `files:read` besides',
  })
  @OptionalOrNull()
  @Id()
  image_file_id?: string | null;

  @Optional()
  @Attributes()
  attributes?: Record<string, unknown>;
}

/** A product that is made. */
export class CreateProductDto extends ProductDetailsDto {
  /** Unique in the tenant; ours, beginning with `prod_`, where none is chosen. @example prod_001 */
  @Optional()
  @IsString()
  @Length(1, 64)
  @Matches(TEXT_ID, { message: 'id must be letters, digits, `_`, `.` and `-`, the first a letter or a digit' })
  id?: string;

  /** @example Submariner */
  @DisplayName(NAME_CHARACTERS)
  name: string;

  @Money()
  price: string;
}

/** What is to change of a product; what is not named stays. */
export class UpdateProductDto extends ProductDetailsDto {
  @ApiProperty({ required: false })
  @Optional()
  @DisplayName(NAME_CHARACTERS)
  name?: string;

  @ApiProperty({ required: false })
  @Optional()
  @Money()
  price?: string;
}

/** What of the fields the body names. */
export function productChangeOf(dto: UpdateProductDto): Partial<ProductFields> {
  const { name, price, brand, category, stock, description, image_file_id, attributes } = dto;
  const fields = { name, price, brand, category, stock, description, image_file_id, attributes };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
