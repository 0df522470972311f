import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiConflictResponse, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { ChangesVersioned, type ExpectedVersions, IfMatch, versioned, versionOf } from '../../platform/http/etag';
import { TextIdParam } from '../../platform/http/id-param';
import { sendPage } from '../../platform/http/page-headers';
import type { CustomerRow } from './customer-row';
import { CustomersService } from './customers.service';
import { CreateCustomerDto, customerChangeOf, UpdateCustomerDto } from './dto/customer.dto';
import { CustomerResponse, customerResponse } from './dto/customer.response';
import { ListCustomersQuery } from './dto/list-customers.query';

const CHANGED = 'the customer was changed since';
const TAKEN = '`CUSTOMER_EMAIL_TAKEN`, `CUSTOMER_PHONE_TAKEN`';
const REFUSED = { description: `${TAKEN}, \`CUSTOMER_ANONYMISED\`, or \`IDEMPOTENCY_IN_PROGRESS\`` };

/** Who buys. */
@ApiTags('Customers')
@Controller('customers')
export class CustomersController {
  constructor(private readonly customers: CustomersService) {}

  /** Makes a customer, who has at least one of name, email and phone. */
  @Post()
  @Access('customers:manage')
  @ApiCreatedResponse({ type: CustomerResponse })
  @ApiConflictResponse({ description: `\`CUSTOMER_ID_TAKEN\`, ${TAKEN}, or \`IDEMPOTENCY_IN_PROGRESS\`` })
  async create(
    @CurrentActor() actor: Actor,
    @Body() body: CreateCustomerDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CustomerResponse> {
    return answered(reply, await this.customers.create(actor, body.id, customerChangeOf(body)));
  }

  /** The tenant's customers, newest first; those that were anonymised too. */
  @Get()
  @Access('customers:read')
  @ApiOkResponse({ type: [CustomerResponse] })
  async list(
    @CurrentActor() actor: Actor,
    @Query() query: ListCustomersQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CustomerResponse[]> {
    return sendPage(reply, await this.customers.list(actor, query, query), query).map(customerResponse);
  }

  /** One customer. */
  @Get(':id')
  @Access('customers:read')
  @ApiOkResponse({ type: CustomerResponse })
  async get(
    @CurrentActor() actor: Actor,
    @TextIdParam() id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CustomerResponse> {
    return answered(reply, await this.customers.get(actor, id));
  }

  /** Changes what is named; what is not named stays, as clients of the older systems expect, and `null` takes away. */
  @Put(':id')
  @Access('customers:manage')
  @ChangesVersioned(CHANGED)
  @ApiOkResponse({ type: CustomerResponse })
  @ApiConflictResponse(REFUSED)
  async replace(
    @CurrentActor() actor: Actor,
    @TextIdParam() id: string,
    @Body() body: UpdateCustomerDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CustomerResponse> {
    return answered(reply, await this.customers.update(actor, id, customerChangeOf(body), expected));
  }

  /** Changes what is named; what is not named stays, and `null` takes away. */
  @Patch(':id')
  @Access('customers:manage')
  @ChangesVersioned(CHANGED)
  @ApiOkResponse({ type: CustomerResponse })
  @ApiConflictResponse(REFUSED)
  async update(
    @CurrentActor() actor: Actor,
    @TextIdParam() id: string,
    @Body() body: UpdateCustomerDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CustomerResponse> {
    return answered(reply, await this.customers.update(actor, id, customerChangeOf(body), expected));
  }

  /** Removes the customer. One with orders is anonymised instead: these stay, and nothing names it any more. */
  @Delete(':id')
  @HttpCode(204)
  @Access('customers:manage')
  @ChangesVersioned(CHANGED)
  @ApiNoContentResponse()
  async delete(
    @CurrentActor() actor: Actor,
    @TextIdParam() id: string,
    @IfMatch() expected: ExpectedVersions,
  ): Promise<void> {
    await this.customers.remove(actor, id, expected);
  }
}

const answered = (reply: FastifyReply, row: CustomerRow): CustomerResponse =>
  customerResponse(versioned(reply, row, versionOf(row)));
