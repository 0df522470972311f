import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiConflictResponse, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { ChangesVersioned, type ExpectedVersions, IfMatch, versioned, versionOf } from '../../platform/http/etag';
import { TextIdParam } from '../../platform/http/id-param';
import { sendPage } from '../../platform/http/page-headers';
import { InventoryDto } from './dto/inventory.dto';
import { ListProductsQuery, productFilterOf } from './dto/list-products.query';
import { CreateProductDto, productChangeOf, UpdateProductDto } from './dto/product.dto';
import { ProductResponse, productResponse } from './dto/product.response';
import type { ProductRow } from './product';
import { ProductsService } from './products.service';
import { StockService } from './stock.service';

const CHANGED = 'the product was changed since';
const CACHED = {
  type: ProductResponse,
  headers: { 'X-Cache': { description: 'Whether it came from the cache', schema: { enum: ['HIT', 'MISS'] } } },
};

/** What the business sells. */
@ApiTags('Products')
@Controller('products')
export class ProductsController {
  constructor(
    private readonly products: ProductsService,
    private readonly stock: StockService,
  ) {}

  /** Makes a product. */
  @Post()
  @Access('products:manage')
  @ApiCreatedResponse({ type: ProductResponse })
  @ApiConflictResponse({ description: '`PRODUCT_EXISTS`, or `IDEMPOTENCY_IN_PROGRESS`' })
  async create(
    @CurrentActor() actor: Actor,
    @Body() body: CreateProductDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProductResponse> {
    const { id, name, price } = body;
    const fields = { ...productChangeOf(body), name, price, ...(id === undefined ? {} : { id }) };
    return answered(reply, await this.products.create(actor, fields));
  }

  /**
   * The tenant's products, newest first unless `sort` says otherwise. A search looks at a bounded number of products at a time: a
   * page may hold fewer than `limit`, even none, and still have a next one in `Link`.
   */
  @Get()
  @Access('products:read')
  @ApiOkResponse({ type: [ProductResponse] })
  async list(
    @CurrentActor() actor: Actor,
    @Query() query: ListProductsQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProductResponse[]> {
    const page = await this.products.list(actor, productFilterOf(query), query);
    return sendPage(reply, page, query).map(productResponse);
  }

  /** One product, from the cache for up to 60 s; a change of it shows at once. */
  @Get(':id')
  @Access('products:read')
  @ApiOkResponse(CACHED)
  async get(
    @CurrentActor() actor: Actor,
    @TextIdParam() id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProductResponse> {
    const { value, hit } = await this.products.get(actor, id);
    reply.header('x-cache', hit ? 'HIT' : 'MISS');
    return answered(reply, value);
  }

  /** Changes what is named; what is not named stays, as clients of the older systems expect. */
  @Put(':id')
  @Access('products:manage')
  @ChangesVersioned(CHANGED)
  @ApiOkResponse({ type: ProductResponse })
  async replace(
    @CurrentActor() actor: Actor,
    @TextIdParam() id: string,
    @Body() body: UpdateProductDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProductResponse> {
    return answered(reply, await this.products.update(actor, id, productChangeOf(body), expected));
  }

  /** Changes what is named; what is not named stays. */
  @Patch(':id')
  @Access('products:manage')
  @ChangesVersioned(CHANGED)
  @ApiOkResponse({ type: ProductResponse })
  async update(
    @CurrentActor() actor: Actor,
    @TextIdParam() id: string,
    @Body() body: UpdateProductDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProductResponse> {
    return answered(reply, await this.products.update(actor, id, productChangeOf(body), expected));
  }

  /** Takes `quantity` pieces from stock, or adds `restock`. Of buyers at once nobody gets what is not there. */
  @Patch(':id/inventory')
  @Access('products:manage')
  @ApiOkResponse({ type: ProductResponse })
  @ApiConflictResponse({ description: '`INSUFFICIENT_STOCK` with `available`, or `IDEMPOTENCY_IN_PROGRESS`' })
  async inventory(
    @CurrentActor() actor: Actor,
    @TextIdParam() id: string,
    @Body() { quantity, restock }: InventoryDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProductResponse> {
    if (quantity !== undefined) return answered(reply, await this.stock.take(actor, id, quantity));
    return answered(reply, await this.stock.add(actor, id, restock ?? 0));
  }

  /** Removes the product. Orders keep what it was called and cost. */
  @Delete(':id')
  @HttpCode(204)
  @Access('products:manage')
  @ChangesVersioned(CHANGED)
  @ApiNoContentResponse()
  async remove(
    @CurrentActor() actor: Actor,
    @TextIdParam() id: string,
    @IfMatch() expected: ExpectedVersions,
  ): Promise<void> {
    await this.products.remove(actor, id, expected);
  }
}

const answered = (reply: FastifyReply, row: ProductRow): ProductResponse =>
  productResponse(versioned(reply, row, versionOf(row)));
