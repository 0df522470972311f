/** What is read of a product. */
export const COLUMNS = `id, name, brand, category, price, stock, description, image_file_id, attributes, version, created_at,
  updated_at`;
