import { Module } from '@nestjs/common';
import { MessagesModule } from '../messages/messages.module';
import { ProductsModule } from '../products/products.module';
import { TemplatesModule } from '../templates/templates.module';
import { TenantsModule } from '../tenants/tenants.module';
import { OrderMessages } from './order-messages.service';
import { OrdersController } from './orders.controller';
import { OrdersRepository } from './orders.repository';
import { OrdersService } from './orders.service';
import { Stock } from './stock.service';

/** Orders: what customers buy, with the stock that it takes and the messages that tell of it. */
@Module({
  imports: [MessagesModule, ProductsModule, TemplatesModule, TenantsModule],
  controllers: [OrdersController],
  providers: [OrderMessages, OrdersRepository, OrdersService, Stock],
})
export class OrdersModule {}
