import { Body, Controller, Get, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiConflictResponse, ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { ChangesVersioned, type ExpectedVersions, IfMatch, versioned } from '../../platform/http/etag';
import { TextIdParam } from '../../platform/http/id-param';
import { sendPage } from '../../platform/http/page-headers';
import { ListOrdersQuery } from './dto/list-orders.query';
import { CreateOrderDto, UpdateOrderDto } from './dto/order.dto';
import { OrderResponse, orderResponse } from './dto/order.response';
import { OrdersService } from './orders.service';

const SHORT = {
  description:
    '`INSUFFICIENT_STOCK`: `details` names each product that is short, with `product_id` and `available`; `ORDER_ID_TAKEN`; ' +
    '`IDEMPOTENCY_IN_PROGRESS`',
};
const CHANGED = 'the order was changed since';
const ENDED = {
  description: '`INVALID_TRANSITION`: the order is not pending, or `pending` is asked for; `IDEMPOTENCY_IN_PROGRESS`',
};

/** What customers buy. */
@ApiTags('Orders')
@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  /**
   * Places an order, all or nothing: its pieces are taken from stock, and each item keeps the price of this moment, in the
   * tenant’s currency.
   */
  @Post()
  @Access('orders:create')
  @ApiCreatedResponse({ type: OrderResponse })
  @ApiConflictResponse(SHORT)
  async create(
    @CurrentActor() actor: Actor,
    @Body() { id, customer_id: customerId, items }: CreateOrderDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrderResponse> {
    return orderResponse(versioned(reply, await this.orders.place(actor, { id, customerId, items })));
  }

  /** The tenant’s orders, newest first. */
  @Get()
  @Access('orders:read')
  @ApiOkResponse({ type: [OrderResponse] })
  async list(
    @CurrentActor() actor: Actor,
    @Query() query: ListOrdersQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrderResponse[]> {
    const { status, customer_id, from, to } = query;
    const page = await this.orders.list(actor, { status, customer_id, from, to }, query);
    return sendPage(reply, page, query).map(orderResponse);
  }

  /** One order. */
  @Get(':id')
  @Access('orders:read')
  @ApiOkResponse({ type: OrderResponse })
  async get(
    @CurrentActor() actor: Actor,
    @TextIdParam() id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrderResponse> {
    return orderResponse(versioned(reply, await this.orders.get(actor, id)));
  }

  /**
   * Completes or cancels a pending order. Cancelling gives its pieces back to stock. Every other move is refused, to the
   * status that the order has already too: of two that cancel at once, one is told that it came too late.
   */
  @Patch(':id')
  @Access('orders:manage')
  @ChangesVersioned(CHANGED)
  @ApiOkResponse({ type: OrderResponse })
  @ApiConflictResponse(ENDED)
  async update(
    @CurrentActor() actor: Actor,
    @TextIdParam() id: string,
    @Body() { status }: UpdateOrderDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrderResponse> {
    return orderResponse(versioned(reply, await this.orders.setStatus(actor, id, { status, expected })));
  }
}
