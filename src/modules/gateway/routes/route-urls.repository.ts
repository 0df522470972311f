import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../../../platform/database/tenant-database';
import { type RouteUrl, RouteUrls } from '../balance/upstream-health.service';

const URLS = `select r.id as route_id, u.value->>'url' as url
  from gateway_routes r cross join lateral jsonb_array_elements(r.upstreams) u
  where r.tenant_id = $1 order by r.id, url`;

/** The upstreams that the stored routes name. */
@Injectable()
export class StoredRouteUrls extends RouteUrls {
  constructor(private readonly db: TenantDatabase) {
    super();
  }

  override urlsOf(tenantId: string): Promise<RouteUrl[]> {
    return this.db.query<RouteUrl>(tenantId, URLS, [tenantId]);
  }
}
