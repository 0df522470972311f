import { Module } from '@nestjs/common';
import { FilesModule } from '../files/files.module';
import { ProductPictures } from './product-pictures.service';
import { ProductSearchRepository } from './product-search.repository';
import { ProductsCache } from './products-cache.service';
import { ProductsController } from './products.controller';
import { ProductsRepository } from './products.repository';
import { ProductsService } from './products.service';
import { StockService } from './stock.service';

/** Products: prices, stock, search. */
@Module({
  imports: [FilesModule],
  controllers: [ProductsController],
  providers: [
    ProductsRepository,
    ProductSearchRepository,
    ProductsCache,
    ProductPictures,
    ProductsService,
    StockService,
  ],
  exports: [ProductsService, ProductsCache],
})
export class ProductsModule {}
