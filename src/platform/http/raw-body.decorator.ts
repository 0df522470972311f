import { RouteConfig } from '@nestjs/platform-fastify';

/** What a route's Fastify configuration says of its body. */
export interface RawBodyConfig {
  rawBody?: boolean;
  bodyLimitBytes?: number;
}

/** The handler's `@Body()` is the untouched Buffer, so that a signature can be checked before anything is parsed. */
export const RawBody = (bodyLimitBytes: number) =>
  RouteConfig({ rawBody: true, bodyLimitBytes } satisfies RawBodyConfig);
