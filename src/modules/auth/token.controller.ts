import { Body, Controller, Header, Headers, HttpCode, Post } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiExtraModels,
  ApiForbiddenResponse,
  ApiOkResponse,
  ApiTags,
  ApiUnauthorizedResponse,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Actor } from '../../common/actor';
import { CommonErrors } from '../../common/common.errors';
import { Access, AuthLimited, CurrentActor, Public } from '../../platform/http/access.decorators';
import { FormBody } from '../../platform/http/form-body.decorator';
import { NotIdempotent } from '../../platform/idempotency/not-idempotent.decorator';
import { clientCredentials } from './client-credentials';
import { DevTokens } from './dev-tokens.service';
import { IntrospectionDto } from './dto/introspection.dto';
import { IntrospectionResponse, introspectionResponse } from './dto/introspection.response';
import { isOfDeveloper, TokenDto } from './dto/token.dto';
import { DevTokenResponse, ServiceTokenResponse, serviceTokenResponse } from './dto/token.response';
import { Introspection } from './introspection.service';
import { ServiceTokens } from './service-tokens.service';

const EITHER = { oneOf: [{ $ref: getSchemaPath(ServiceTokenResponse) }, { $ref: getSchemaPath(DevTokenResponse) }] };

const NOT_OF_DEVELOPERS = ['grant_type', 'client_id', 'client_secret', 'scope'] as const;

/** Access tokens of services, and what services ask about tokens. */
@ApiTags('Auth')
@Controller('auth')
export class TokenController {
  constructor(
    private readonly services: ServiceTokens,
    private readonly developers: DevTokens,
    private readonly introspection: Introspection,
  ) {}

  /**
   * An access token for an API key: OAuth 2.0 client credentials (RFC 6749 §4.4). With `AUTH_DEV_TOKENS` it also takes
   * `{userId, email}` without a password.
   */
  @Post('token')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Public('It is where services get their credential')
  @AuthLimited({ bucket: 'token', when: isOfDeveloper })
  @FormBody()
  @ApiExtraModels(ServiceTokenResponse, DevTokenResponse)
  @ApiOkResponse({ schema: EITHER })
  @ApiUnauthorizedResponse({ description: 'The client is not known, or its secret is wrong, expired or revoked' })
  @ApiForbiddenResponse({ description: '`DEV_TOKENS_DISABLED`: tokens without a password are switched off' })
  @ApiConflictResponse({ description: '`TENANT_REQUIRED`: the email has accounts in several tenants' })
  async token(
    @Body() body: TokenDto,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<ServiceTokenResponse | DevTokenResponse> {
    if (isOfDeveloper(body)) return this.ofDeveloper(body);
    if (!body.grant_type) throw CommonErrors.invalidField('grant_type', 'grant_type must be client_credentials');
    return serviceTokenResponse(await this.services.issue(clientCredentials(authorization, body), body.scope));
  }

  /** What an access token of the tenant is worth now (RFC 7662); `{active: false}` for whatever else is asked about. */
  @Post('introspect')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Access('introspect')
  @NotIdempotent('It answers what is so now')
  @FormBody()
  async introspect(@CurrentActor() actor: Actor, @Body() body: IntrospectionDto): Promise<IntrospectionResponse> {
    return introspectionResponse(await this.introspection.ask(actor, body.token));
  }

  private async ofDeveloper(body: TokenDto): Promise<DevTokenResponse> {
    const { email } = body;
    const stranger = NOT_OF_DEVELOPERS.find((field) => body[field] !== undefined);
    if (stranger) throw CommonErrors.invalidField(stranger, `${stranger} does not go with an email`);
    if (email === undefined) throw CommonErrors.invalidField('email', 'email must be given');
    return { token: await this.developers.issue(email), expiresIn: '24h' };
  }
}
