import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../common/actor';
import { countedPage, type Page, pageOf, type PageRequest } from '../../../common/paging';
import { addressKey } from './address-key';
import { HealthBoard } from './health-board';
import { type MergedView, mergedByKey } from './upstream-view';

/** An upstream as the tenant's routes name it. */
export interface NamedUrl {
  url: string;
  /** Where it stands among the others: a text that is shorter than an address may be. */
  place: string;
  /** The routes that name it. */
  route_ids: string[];
}

/** So many upstreams behind that place, but for the first so many. */
export interface UrlWindow {
  after: string;
  offset: number;
  limit: number;
}

/** Where the routes are. */
export abstract class RouteUrls {
  /** Upstreams of the tenant's routes, enabled or not, by address. */
  abstract page(tenantId: string, window: UrlWindow): Promise<NamedUrl[]>;

  /** How many there are, counted no further than the cap. */
  abstract count(tenantId: string, cap: number): Promise<number>;
}

/** An upstream with what is known of it; null where no process has sent anything there lately. */
export interface UpstreamStanding {
  id: string;
  url: string;
  place: string;
  routeIds: string[];
  view: MergedView | null;
  shared: boolean;
}

/** How the upstreams of a tenant stand. */
@Injectable()
export class UpstreamHealthService {
  constructor(
    private readonly routes: RouteUrls,
    private readonly board: HealthBoard,
  ) {}

  /** The upstreams of the tenant's routes, by address. */
  list({ tenantId }: Actor, page: PageRequest): Promise<Page<UpstreamStanding>> {
    const window = { after: placeOf(page.cursor), offset: page.offset ?? 0, limit: page.limit + 1 };
    return countedPage(
      page,
      this.standings(tenantId, window),
      (cap) => this.routes.count(tenantId, cap),
      (rows, limit) => pageOf(rows, limit, ({ place }) => Buffer.from(place).toString('base64url')),
    );
  }

  private async standings(tenantId: string, window: UrlWindow): Promise<UpstreamStanding[]> {
    const named = await this.routes.page(tenantId, window);
    const urls = named.map(({ url }) => url);
    const { views, shared } = await this.board.ask(tenantId, urls);
    const seen = mergedByKey(views);
    return named.map(({ url, place, route_ids: routeIds }) => ({
      ...{ id: url, url, place, shared, routeIds },
      view: seen.get(addressKey(url)) ?? null,
    }));
  }
}

/** Anybody may write a cursor: NUL, which PostgreSQL has in no text, stands in no place. */
const placeOf = (cursor = ''): string => Buffer.from(cursor, 'base64url').toString().replaceAll('\0', '');
