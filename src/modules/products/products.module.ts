import { Module } from '@nestjs/common';
import { FilesModule } from '../files/files.module';
import { ProductsCache } from './products-cache.service';
import { ProductsController } from './products.controller';
import { ProductsRepository } from './products.repository';
import { ProductsService } from './products.service';
import { StockService } from './stock.service';

/** Products: prices, stock, search. */
@Module({
  imports: [FilesModule],
  controllers: [ProductsController],
  providers: [ProductsRepository, ProductsCache, ProductsService, StockService],
  exports: [ProductsService, ProductsCache],
})
export class ProductsModule {}
