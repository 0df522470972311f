import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiConsumes } from '@nestjs/swagger';

/** What HTML forms and OAuth clients send. */
export const FORM_TYPE = 'application/x-www-form-urlencoded';

/** What a route's Fastify configuration says of forms. */
export interface FormBodyConfig {
  formBody?: boolean;
}

/** The route takes its body as a form as well as JSON, as the OAuth RFCs want it; all others take JSON alone. */
export const FormBody = (): MethodDecorator =>
  applyDecorators(RouteConfig({ formBody: true } satisfies FormBodyConfig), ApiConsumes('application/json', FORM_TYPE));
