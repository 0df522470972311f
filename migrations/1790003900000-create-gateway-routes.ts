import type { MigrationInterface, QueryRunner } from 'typeorm';

// What a path, a pattern and an upstream may look like is the API's to say; what matching goes by is checked here as well.
// Values that headers are set to are sealed, all of a route in one text: an object that is not empty would be plain ones.
const UP = [
  `
    create table gateway_routes (
      tenant_id uuid not null,
      id uuid not null,
      path text not null,
      path_type text not null,
      methods text[],
      host text,
      priority integer not null default 0,
      upstreams jsonb not null,
      strategy text not null,
      strip_prefix boolean not null default false,
      rewrite text,
      timeout_ms integer not null,
      retries integer not null default 0,
      headers jsonb not null,
      rate_limit_per_minute integer,
      enabled boolean not null default true,
      version integer not null default 1,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      constraint gateway_routes_pk primary key (tenant_id, id),
      constraint gateway_routes_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade,
      constraint gateway_routes_path_check check (octet_length(path) between 1 and 2048),
      constraint gateway_routes_path_type_check check (path_type in ('exact', 'prefix', 'regex')),
      constraint gateway_routes_methods_check check (cardinality(methods) between 1 and 40),
      constraint gateway_routes_upstreams_check check (jsonb_typeof(upstreams) = 'array'
        and jsonb_array_length(upstreams) between 1 and 16),
      constraint gateway_routes_strategy_check
        check (strategy in ('round-robin', 'weighted', 'random', 'least-connections', 'first')),
      constraint gateway_routes_strip_check check (not strip_prefix or (path_type = 'prefix' and rewrite is null)),
      constraint gateway_routes_timeout_check check (timeout_ms between 100 and 300000),
      constraint gateway_routes_retries_check check (retries between 0 and 5),
      constraint gateway_routes_headers_check check (jsonb_typeof(headers) = 'object'
        and coalesce(headers->'set' = '{}' or jsonb_typeof(headers->'set') = 'string', false)),
      constraint gateway_routes_limit_check check (rate_limit_per_minute > 0)
    )`,
  `create index gateway_routes_claim on gateway_routes (tenant_id, path_type, path)`,
  // One row a tenant: grows with each change of its routes, so that whoever has them in memory knows without reading them.
  `
    create table gateway_tables (
      tenant_id uuid not null,
      version integer not null default 1,
      constraint gateway_tables_pk primary key (tenant_id),
      constraint gateway_tables_tenant_fk foreign key (tenant_id) references tenants (id) on delete cascade
    )`,
];

/** Routes of the tenants' gateways. */
export class CreateGatewayRoutes1790003900000 implements MigrationInterface {
  async up(q: QueryRunner): Promise<void> {
    for (const statement of UP) await q.query(statement);
  }

  async down(q: QueryRunner): Promise<void> {
    await q.query(`drop table gateway_tables`);
    await q.query(`drop table gateway_routes`);
  }
}
