import { Body, Controller, Get, Header, HttpCode, Post } from '@nestjs/common';
import { ApiConflictResponse, ApiTags, ApiTooManyRequestsResponse, ApiUnauthorizedResponse } from '@nestjs/swagger';
import type { Actor, UserActor } from '../../common/actor';
import { Access, AuthLimited, CurrentActor, CurrentUser, Public } from '../../platform/http/access.decorators';
import { AuthService } from './auth.service';
import { LoginDto } from './dto/login.dto';
import { LogoutDto } from './dto/logout.dto';
import { ProfileResponse, profileResponse } from './dto/profile.response';
import { RefreshDto } from './dto/refresh.dto';
import { LoginResponse, loginResponse, TokensResponse, tokensResponse } from './dto/tokens.response';
import { LoginsService } from './logins.service';
import { Profiles } from './profiles';
import { parseRefreshToken } from './refresh-token';

/** Logging in, staying in, logging out. */
@ApiTags('Auth')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly logins: LoginsService,
    private readonly profiles: Profiles,
  ) {}

  /** Logs in with email and password. */
  @Post('login')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Public('It is where callers get their credential')
  @AuthLimited()
  @ApiUnauthorizedResponse({ description: 'Email or password is wrong, or the user or its tenant is not active' })
  @ApiConflictResponse({ description: '`TENANT_REQUIRED`: the password is right in several tenants' })
  @ApiTooManyRequestsResponse({ description: '`ACCOUNT_LOCKED`: five failures within 15 minutes; `RATE_LIMITED`' })
  async login(@Body() body: LoginDto): Promise<LoginResponse> {
    return loginResponse(await this.auth.login(body));
  }

  /** Gives a new pair of tokens for a refresh token, which works once. */
  @Post('refresh')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Public('The refresh token is the credential')
  @AuthLimited({ accountOf: loginOfRefresh })
  @ApiUnauthorizedResponse({ description: 'The refresh token is wrong, expired or revoked, or was used before' })
  async refresh(@Body() body: RefreshDto): Promise<TokensResponse> {
    return tokensResponse(await this.logins.refresh(body.refresh_token));
  }

  /** Ends this login at once, its access tokens included; with `all`, every login of the user. */
  @Post('logout')
  @HttpCode(204)
  @Access('login:end')
  async logout(@CurrentUser() actor: UserActor, @Body() body: LogoutDto): Promise<void> {
    await (body.all ? this.logins.endAll(actor) : this.logins.end(actor));
  }

  /** The user or API key that is calling, its tenant, its role and its permissions. */
  @Get('profile')
  @Access('profile:read')
  async profile(@CurrentActor() actor: Actor): Promise<ProfileResponse> {
    return profileResponse(actor, await this.profiles.of(actor));
  }
}

/** The login that a body's refresh token names, genuine or not: whoever knows a login's ids was given them. */
function loginOfRefresh(body: unknown): string | undefined {
  const { refresh_token: token } = (body ?? {}) as { refresh_token?: unknown };
  const named = typeof token === 'string' ? parseRefreshToken(token) : null;
  return named ? `${named.tenantId}/${named.loginId}` : undefined;
}
