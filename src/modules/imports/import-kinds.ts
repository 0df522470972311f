import { CUSTOMERS } from './customer-rows';
import type { ImportKind, ImportKindName } from './import-kind';
import { PRODUCTS } from './product-rows';

/** Every kind of rows that can be imported. */
export const KINDS: Readonly<Record<ImportKindName, ImportKind>> = { products: PRODUCTS, customers: CUSTOMERS };
