import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../../../platform/database/tenant-database';
import { type NamedUrl, RouteUrls, type UrlWindow } from '../balance/upstream-health.service';

const NAMED = `select r.id, u.value->>'url' as url
  from gateway_routes r cross join lateral jsonb_array_elements(r.upstreams) u where r.tenant_id = $1`;

// By address, byte by byte whatever the language of the database. A cursor holds no whole address: what tells those apart that
// are alike for long is a digest. A blank, which none has, keeps `/a` before `/ab`.
const PLACED = `select n.*, (left(n.url, 1400) || ' ' || md5(n.url)) collate "C" as place from (${NAMED}) n`;

const PAGE = `select p.url, p.place, array_agg(p.id order by p.id)::text[] as route_ids from (${PLACED}) p
  where p.place > $2 group by p.place, p.url order by p.place offset $3 limit $4`;

const COUNT = `select count(*)::int as count from (select distinct n.url from (${NAMED}) n limit $2) d`;

/** The upstreams that the stored routes name. */
@Injectable()
export class StoredRouteUrls extends RouteUrls {
  constructor(private readonly db: TenantDatabase) {
    super();
  }

  override page(tenantId: string, { after, offset, limit }: UrlWindow): Promise<NamedUrl[]> {
    return this.db.query<NamedUrl>(tenantId, PAGE, [tenantId, after, offset, limit]);
  }

  override async count(tenantId: string, cap: number): Promise<number> {
    const [row] = await this.db.query<{ count: number }>(tenantId, COUNT, [tenantId, cap]);
    return row?.count ?? 0;
  }
}
