import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiConsumes } from '@nestjs/swagger';

/** What HTML forms and OAuth clients send. */
export const FORM_TYPE = 'application/x-www-form-urlencoded';

/** What a route's Fastify configuration says of forms. */
export interface FormBodyConfig {
  formBody?: boolean;
  bodyLimitBytes?: number;
}

/** Tokens and credentials are short, and anybody can post a form: reading one of a megabyte takes a third of a second. */
const FORM_LIMIT_BYTES = 16 * 1024;

/** The route takes its body as a form as well as JSON, as the OAuth RFCs want it; all others take JSON alone. */
export const FormBody = (): MethodDecorator =>
  applyDecorators(
    RouteConfig({ formBody: true, bodyLimitBytes: FORM_LIMIT_BYTES } satisfies FormBodyConfig),
    ApiConsumes('application/json', FORM_TYPE),
  );
