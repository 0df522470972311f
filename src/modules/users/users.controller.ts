import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { UserResponse, userResponse } from './dto/user.response';
import { UsersService } from './users.service';

/** Users: one's own profile. */
@ApiTags('Users')
@Controller('users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  /** The user who is calling. */
  @Get('me')
  @Access('profile:read')
  async me(@CurrentActor() actor: Actor): Promise<UserResponse> {
    return userResponse(await this.users.getSelf(actor));
  }
}
