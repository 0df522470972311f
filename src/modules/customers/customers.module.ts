import { Module } from '@nestjs/common';
import { TenantsModule } from '../tenants/tenants.module';
import { CustomerAudience } from './customer-audience.service';
import { CustomerListsRepository } from './customer-lists.repository';
import { CustomersController } from './customers.controller';
import { CustomersRepository } from './customers.repository';
import { CustomersService } from './customers.service';

/** Customers: who buys, what they spent, and whom campaigns are for. */
@Module({
  imports: [TenantsModule],
  controllers: [CustomersController],
  providers: [CustomersRepository, CustomerListsRepository, CustomersService, CustomerAudience],
  exports: [CustomersService, CustomerAudience],
})
export class CustomersModule {}
