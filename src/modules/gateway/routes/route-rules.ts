import type { ErrorDetail } from '../../../common/app-error';
import { CommonErrors } from '../../../common/common.errors';
import { EgressFailure } from '../../../platform/egress/egress-failure';
import type { RouteUpstream } from '../gateway-route';
import { headerFaults, loweredHeaders } from './header-rules';
import { pathFault, trimmedPrefix } from './path-rules';
import { rewriteFault } from './rewriting';
import { MAX_WORK, PatternError, RoutePattern } from './route-pattern';
import type { RouteFields } from './stored-route';

/** Says what of an upstream can be said without asking anybody. @throws EgressFailure */
export type UpstreamCheck = (url: string) => string;

/**
 * The route in the one spelling in which it is stored: methods in upper case, host and names of headers in lower case, no
 * slash at the end of a prefix, upstreams as WHATWG URL writes them. Of a route that is right already it changes nothing.
 * @throws VALIDATION_FAILED that names each field at fault
 */
export function checkedRoute(route: RouteFields, checkUpstream: UpstreamCheck): RouteFields {
  const upstreams = route.upstreams.map((upstream) => upstreamOf(upstream, checkUpstream));
  const pattern = patternOf(route);
  const details = [
    ...pathFaults(route, pattern),
    ...rewritingFaults(route, pattern),
    ...upstreams.flatMap((result, index) => ('message' in result ? [faultOf(index, result.message)] : [])),
    ...headerFaults(route.headers),
  ];
  const urls = upstreams.flatMap((result) => ('url' in result ? [result] : []));
  const twice = urls.findIndex(({ url }, index) => urls.findIndex((other) => other.url === url) < index);
  if (details.length === 0 && twice >= 0) details.push(faultOf(twice, 'is named twice'));
  if (details.length > 0) throw CommonErrors.validation(details);
  return { ...route, ...spelt(route), upstreams: urls };
}

const faultOf = (index: number, message: string): ErrorDetail => ({ field: `upstreams.${index}.url`, message });

const spelt = ({ path, path_type, methods, host, rewrite, headers }: RouteFields): Partial<RouteFields> => ({
  path: path_type === 'prefix' ? trimmedPrefix(path) : path,
  methods: methods && [...new Set(methods.map((method) => method.toUpperCase()))].sort(),
  host: host && host.toLowerCase(),
  rewrite: rewrite !== null && path_type === 'prefix' ? trimmedPrefix(rewrite) : rewrite,
  headers: loweredHeaders(headers),
});

function upstreamOf({ url, weight }: RouteUpstream, check: UpstreamCheck): RouteUpstream | { message: string } {
  try {
    return { url: check(url), weight };
  } catch (error) {
    if (error instanceof EgressFailure) return { message: error.message };
    throw error;
  }
}

/** The pattern of the route, or why there is none; null for other kinds of path. */
function patternOf({ path, path_type }: RouteFields): RoutePattern | PatternError | null {
  if (path_type !== 'regex') return null;
  try {
    return new RoutePattern(path);
  } catch (error) {
    if (error instanceof PatternError) return error;
    throw error;
  }
}

function pathFaults({ path }: RouteFields, pattern: RoutePattern | PatternError | null): ErrorDetail[] {
  const fault = pattern ? patternFault(pattern) : pathFault(path);
  return fault === null ? [] : [{ field: 'path', message: `path ${fault}` }];
}

/** What one alone costs is asked of a route that is off, too: it is put to other uses than to match requests. */
function patternFault(pattern: RoutePattern | PatternError): string | null {
  if (pattern instanceof PatternError) return pattern.message;
  return pattern.work > MAX_WORK ? 'is too much work for each character of a path: simplify it' : null;
}

function rewritingFaults(route: RouteFields, pattern: RoutePattern | PatternError | null): ErrorDetail[] {
  const { path_type, strip_prefix, rewrite } = route;
  const strip = (message: string): ErrorDetail[] => [{ field: 'strip_prefix', message }];
  if (strip_prefix && path_type !== 'prefix') return strip('strip_prefix needs a path_type of `prefix`');
  if (strip_prefix && rewrite !== null) return strip('strip_prefix says what rewrite says: use one of them');
  if (rewrite === null || pattern instanceof PatternError) return [];
  // What a group holds is not known yet; a letter stands for it.
  const fault = rewriteFault(rewrite, pattern?.groups ?? null) ?? pathFault(pattern ? withLetters(rewrite) : rewrite);
  return fault === null ? [] : [{ field: 'rewrite', message: `rewrite ${fault}` }];
}

const withLetters = (rewrite: string): string => rewrite.replace(/\$[1-9]/g, 'xx');
