import { Module } from '@nestjs/common';
import { CustomersModule } from '../customers/customers.module';
import { MessagesModule } from '../messages/messages.module';
import { ProductsModule } from '../products/products.module';
import { TemplatesModule } from '../templates/templates.module';
import { TenantsModule } from '../tenants/tenants.module';
import { CustomerOrdersController } from './customer-orders.controller';
import { CustomerOrders } from './customer-orders.service';
import { OrderMessages } from './order-messages.service';
import { OrdersController } from './orders.controller';
import { OrdersRepository } from './orders.repository';
import { OrdersService } from './orders.service';
import { Stock } from './stock.service';

/** Orders: what customers buy, with the stock that it takes and the messages that tell of it. */
@Module({
  imports: [CustomersModule, MessagesModule, ProductsModule, TemplatesModule, TenantsModule],
  controllers: [CustomerOrdersController, OrdersController],
  providers: [CustomerOrders, OrderMessages, OrdersRepository, OrdersService, Stock],
})
export class OrdersModule {}
