import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { TextIdParam } from '../../platform/http/id-param';
import { sendPage } from '../../platform/http/page-headers';
import { TextPageQuery } from '../../platform/http/page.query';
import { CustomerOrders } from './customer-orders.service';
import { OrderResponse, orderResponse } from './dto/order.response';

/** Orders where their customers are looked at. */
@ApiTags('Customers')
@Controller('customers')
export class CustomerOrdersController {
  constructor(private readonly orders: CustomerOrders) {}

  /** What the customer ordered, newest first. */
  @Get(':id/orders')
  @Access('orders:read')
  @ApiOkResponse({ type: [OrderResponse] })
  async ordersOf(
    @CurrentActor() actor: Actor,
    @TextIdParam() id: string,
    @Query() query: TextPageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrderResponse[]> {
    return sendPage(reply, await this.orders.list(actor, id, query), query).map(orderResponse);
  }
}
