import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiTags, ApiTooManyRequestsResponse, ApiUnauthorizedResponse } from '@nestjs/swagger';
import type { UserActor } from '../../common/actor';
import { Access, AuthLimited, CurrentUser } from '../../platform/http/access.decorators';
import { NotIdempotent } from '../../platform/idempotency/not-idempotent.decorator';
import { ChangePasswordDto } from './dto/change-password.dto';
import { PasswordService } from './password.service';

/** One's own password. */
@ApiTags('Auth')
@Controller('auth/password')
export class PasswordController {
  constructor(private readonly passwords: PasswordService) {}

  /** Changes the caller's password and ends all its other logins; this one stays. */
  @Post()
  @HttpCode(204)
  @Access('password:change')
  @AuthLimited({ bucket: 'password' })
  @NotIdempotent('The body is secrets, and a repeated request has the wrong current password')
  @ApiNoContentResponse()
  @ApiTooManyRequestsResponse({ description: '`ACCOUNT_LOCKED`: five failures within 15 minutes; `RATE_LIMITED`' })
  @ApiUnauthorizedResponse({ description: 'The current password is wrong, or the access token is' })
  async change(@CurrentUser() actor: UserActor, @Body() body: ChangePasswordDto): Promise<void> {
    await this.passwords.change(actor, { from: body.current_password, to: body.new_password });
  }
}
