import type { INestApplication, Type } from '@nestjs/common';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import { accessRuleOf, type AccessRule } from './access-rule';
import { DOCS_PATH } from './api-prefix';
import type { RouteTable } from './route-table';

/** One handler of one controller with its marks. */
export interface HandlerAccess {
  /** `METHOD /path/:parameter`. */
  route: string;
  /** `Controller.handler`, for whoever has to mend it. */
  name: string;
  rule: AccessRule | null;
}

/** Every handler of every controller, in the order of the modules. */
export function handlersOf(app: INestApplication): HandlerAccess[] {
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  return controllers.flatMap(({ metatype }) => (metatype ? handlersOfController(metatype as Type) : []));
}

function handlersOfController(type: Type): HandlerAccess[] {
  const prototype = type.prototype as Record<string, object>;
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
    const handler = prototype[name];
    const method = handler && (Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined);
    if (!handler || method === undefined) return [];
    const rule = accessRuleOf(handler);
    return pathsOf(type, handler).map((path) => ({
      route: `${RequestMethod[method]} ${path}`,
      name: `${type.name}.${name}`,
      rule,
    }));
  });
}

function pathsOf(controller: object, handler: object): string[] {
  const list = (target: object) => [Reflect.getMetadata(PATH_METADATA, target) as string | string[]].flat();
  return list(controller).flatMap((base) =>
    list(handler).map((path) => `/${[base, path].join('/').split('/').filter(Boolean).join('/')}`),
  );
}

/**
 * Walks the whole router at the start: each handler says who may call it, and no route exists beside the handlers but the
 * documentation's own.
 * @throws Error that names every route at fault, so that the process does not start
 */
export function assertEveryRouteIsMarked(app: INestApplication, routes: RouteTable): void {
  const handlers = handlersOf(app);
  const unmarked = handlers.filter(({ rule }) => rule === null).map(({ name, route }) => `${name} (${route})`);
  const known = new Set(handlers.map(({ route }) => route));
  const strangers = routes.list().filter((route) => !known.has(route) && !isOfThePlatform(route, known));
  const faults = [...unmarked, ...strangers];
  if (faults.length > 0)
    throw new Error(`Routes without @Access or @Public:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
}

/** HEAD goes with each GET; `OPTIONS *` answers preflights; the documentation is public by intent. */
function isOfThePlatform(route: string, known: Set<string>): boolean {
  const [method, path = ''] = route.split(' ', 2);
  if (method === 'HEAD') return known.has(`GET ${path}`) || path.startsWith(DOCS_PATH);
  return route === 'OPTIONS *' || path.startsWith(DOCS_PATH);
}
