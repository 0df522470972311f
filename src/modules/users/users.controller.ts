import { applyDecorators, Body, Controller, Delete, Get, HttpCode, Patch, Post, Put, Query, Res } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiPaymentRequiredResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor, UserActor } from '../../common/actor';
import { Access, CurrentActor, CurrentUser } from '../../platform/http/access.decorators';
import { assertVersion, ChangesVersioned, type ExpectedVersions, IfMatch, sendEtag } from '../../platform/http/etag';
import { IdParam } from '../../platform/http/id-param';
import { sendPage } from '../../platform/http/page-headers';
import { ListUsersQuery } from './dto/list-users.query';
import { CreateUserDto, UpdateSelfDto, UpdateUserDto } from './dto/user.dto';
import { UserResponse, userResponse } from './dto/user.response';
import { TeamService } from './team.service';
import type { UserEntity } from './user.entity';
import { UsersService } from './users.service';

const CHANGED = 'the user was changed since';
const LAST_ADMIN = { description: '`LAST_ADMIN`: no active TENANT_ADMIN would be left; `IDEMPOTENCY_IN_PROGRESS`' };

/** What all handlers have in common that change a user of the tenant. */
const ChangesUser = (): MethodDecorator =>
  applyDecorators(Access('users:manage'), ChangesVersioned(CHANGED), ApiConflictResponse(LAST_ADMIN));

/** Users: one's own, and the tenant's people. */
@ApiTags('Users')
@Controller('users')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly team: TeamService,
  ) {}

  /** The user who is calling. */
  @Get('me')
  @Access('profile:own')
  async me(@CurrentUser() actor: UserActor, @Res({ passthrough: true }) reply: FastifyReply): Promise<UserResponse> {
    return answer(reply, await this.users.getSelf(actor));
  }

  /** Changes one's own name. */
  @Patch('me')
  @Access('profile:own')
  @ChangesVersioned(CHANGED)
  async updateMe(
    @CurrentUser() actor: UserActor,
    @Body() { name }: UpdateSelfDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserResponse> {
    if (name !== undefined) return answer(reply, await this.team.rename(actor, { name, expected }));
    const user = await this.users.getSelf(actor);
    assertVersion(expected, user.version);
    return answer(reply, user);
  }

  /** Takes somebody into the tenant. */
  @Post()
  @Access('users:manage')
  @ApiCreatedResponse({ type: UserResponse })
  @ApiPaymentRequiredResponse({ description: '`PLAN_LIMIT_REACHED`: the plan allows no more users' })
  @ApiConflictResponse({ description: '`EMAIL_TAKEN`, or `IDEMPOTENCY_IN_PROGRESS`' })
  async create(
    @CurrentActor() actor: Actor,
    @Body() { email, password, name, role }: CreateUserDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserResponse> {
    return answer(reply, await this.team.add(actor, { email, password, name, role }));
  }

  /** The tenant's users, newest first. */
  @Get()
  @Access('users:read')
  @ApiOkResponse({ type: [UserResponse] })
  async list(
    @CurrentActor() actor: Actor,
    @Query() query: ListUsersQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserResponse[]> {
    const { role, status, q } = query;
    return sendPage(reply, await this.team.list(actor, { role, status, q }, query), query).map(userResponse);
  }

  /** One user. */
  @Get(':id')
  @Access('users:read')
  async get(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserResponse> {
    return answer(reply, await this.team.get(actor, id));
  }

  /** Changes name, role or status; what is not named stays, as clients of the older systems expect. */
  @Put(':id')
  @ChangesUser()
  replace(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Body() body: UpdateUserDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserResponse> {
    return this.change(actor, { id, body, expected }, reply);
  }

  /** Changes name, role or status; what is not named stays. */
  @Patch(':id')
  @ChangesUser()
  update(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Body() body: UpdateUserDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UserResponse> {
    return this.change(actor, { id, body, expected }, reply);
  }

  /** Removes the user: its logins end, its email is free, its name stays in the audit trail. */
  @Delete(':id')
  @HttpCode(204)
  @ChangesUser()
  @ApiNoContentResponse()
  async remove(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @IfMatch() expected: ExpectedVersions,
  ): Promise<void> {
    await this.team.remove(actor, id, expected);
  }

  private async change(actor: Actor, { id, body, expected }: Change, reply: FastifyReply): Promise<UserResponse> {
    const given = Object.entries(body).filter(([, value]) => value !== undefined);
    return answer(reply, await this.team.update(actor, id, Object.fromEntries(given), expected));
  }
}

interface Change {
  id: string;
  body: UpdateUserDto;
  expected: ExpectedVersions;
}

function answer(reply: FastifyReply, user: UserEntity): UserResponse {
  sendEtag(reply, user.version);
  return userResponse(user);
}
