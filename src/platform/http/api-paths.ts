import { Injectable } from '@nestjs/common';
import { withoutPrefix } from './api-prefix';
import type { RouteTable } from './route-table';

/** Which paths the API itself answers, for whoever lets tenants name paths. */
@Injectable()
export class ApiPaths {
  private routes: Pick<RouteTable, 'methodsOf' | 'list'> | undefined;

  /** Told once, by whoever makes the application; before that no path is the API's. */
  use(routes: Pick<RouteTable, 'methodsOf' | 'list'>): void {
    this.routes = routes;
  }

  /** Whether the API has this path, with whichever method; under `/api` as well, where it has it a second time. */
  has(path: string): boolean {
    return (this.routes?.methodsOf(withoutPrefix(path)).length ?? 0) > 0;
  }

  /** The paths that have no parameter, in both places. */
  fixed(): string[] {
    const paths = (this.routes?.list() ?? []).map((route) => route.slice(route.indexOf(' ') + 1));
    const fixed = [...new Set(paths)].filter((path) => !/[:*]/.test(path));
    return fixed.flatMap((path) => (path.startsWith('/api') ? [path] : [path, `/api${path}`]));
  }
}
