import type { ProductResponse } from '../../src/modules/products/dto/product.response';
import type { HttpClient } from './http-client';
import type { Wire } from './whatsapp';

export type WireProduct = Wire<ProductResponse>;

/** Makes a product over the API. */
export async function makeProduct(http: HttpClient, fields: Record<string, unknown> = {}): Promise<WireProduct> {
  const answer = await http.post<WireProduct>('/products', { name: 'Submariner', price: 8100, ...fields });
  if (answer.status !== 201) throw new Error(`Making a product gave ${answer.outcome}: ${answer.text}`);
  return answer.body;
}
