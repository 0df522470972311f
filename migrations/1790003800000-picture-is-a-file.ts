import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  `update products p set image_file_id = null where image_file_id is not null and not exists (
     select from files f where f.tenant_id = p.tenant_id and f.id = p.image_file_id)`,
  `alter table products add constraint products_image_fk foreign key (tenant_id, image_file_id)
     references files (tenant_id, id) on delete set null (image_file_id)`,
  `create index products_image_idx on products (tenant_id, image_file_id) where image_file_id is not null`,
];

/** The picture of a product is a file of its tenant; it has none any more when that is deleted. */
export class PictureIsAFile1790003800000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop index products_image_idx`);
    await q.query(`alter table products drop constraint products_image_fk`);
  }
}
