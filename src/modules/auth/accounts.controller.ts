import { Body, Controller, Header, HttpCode, Post } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiForbiddenResponse,
  ApiTags,
  ApiTooManyRequestsResponse,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import { AuthLimited, Public } from '../../platform/http/access.decorators';
import { AuthService } from './auth.service';
import { AccountLoginResponse, accountLoginResponse, RegisterResponse, registerResponse } from './dto/account.response';
import { LoginDto } from './dto/login.dto';
import { RegisterDto } from './dto/register.dto';
import { RegistrationService } from './registration.service';

/** Signing up, and logging in at the address that clients of older systems use. */
@ApiTags('Users')
@Controller('users')
export class AccountsController {
  constructor(
    private readonly auth: AuthService,
    private readonly registration: RegistrationService,
  ) {}

  /** Makes a tenant with this user as its TENANT_ADMIN, while self-registration is on. */
  @Post('register')
  @HttpCode(201)
  @Header('Cache-Control', 'no-store')
  @Public('Whoever signs up has no account yet')
  @AuthLimited()
  @ApiForbiddenResponse({ description: '`SIGNUP_DISABLED`' })
  @ApiConflictResponse({ description: '`EMAIL_TAKEN`: an active user has this email' })
  async register(@Body() body: RegisterDto): Promise<RegisterResponse> {
    const { email, password, tenant_name: tenantName } = body;
    return registerResponse(await this.registration.register({ email, password, tenantName }));
  }

  /** Logs in with email and password: `POST /auth/login` with another answer. */
  @Post('login')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Public('It is where callers get their credential')
  @AuthLimited()
  @ApiUnauthorizedResponse({ description: 'Email or password is wrong, or the user or its tenant is not active' })
  @ApiConflictResponse({ description: '`TENANT_REQUIRED`: the password is right in several tenants' })
  @ApiTooManyRequestsResponse({ description: '`ACCOUNT_LOCKED`: five failures within 15 minutes; `RATE_LIMITED`' })
  async login(@Body() body: LoginDto): Promise<AccountLoginResponse> {
    return accountLoginResponse(await this.auth.login(body));
  }
}
