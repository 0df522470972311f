import { Controller, Delete, Get, HttpCode, Query, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { UserActor } from '../../common/actor';
import { Access, CurrentUser } from '../../platform/http/access.decorators';
import { IdParam } from '../../platform/http/id-param';
import { sendPage } from '../../platform/http/page-headers';
import { PageQuery } from '../../platform/http/page.query';
import { LoginSessionResponse, loginSessionResponse } from './dto/login-session.response';
import { LoginsService } from './logins.service';

/** Where a user is logged in. */
@ApiTags('Auth')
@Controller('auth/sessions')
export class LoginsController {
  constructor(private readonly logins: LoginsService) {}

  /** Where the caller is logged in, newest first. */
  @Get()
  @Access('profile:own')
  @ApiOkResponse({ type: [LoginSessionResponse] })
  async list(
    @CurrentUser() actor: UserActor,
    @Query() query: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<LoginSessionResponse[]> {
    const page = await this.logins.listOwn(actor, query);
    return sendPage(reply, page, query).map((login) => loginSessionResponse(login, actor.loginId));
  }

  /** Ends one of the caller's own logins at once, its access tokens included. */
  @Delete(':id')
  @HttpCode(204)
  @Access('login:end')
  @ApiNoContentResponse()
  async end(@CurrentUser() actor: UserActor, @IdParam() id: string): Promise<void> {
    await this.logins.endOne(actor, id);
  }
}
