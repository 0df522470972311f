import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { UserActor } from '../../common/actor';
import { Access, CurrentUser } from '../../platform/http/access.decorators';
import { UserResponse, userResponse } from './dto/user.response';
import { UsersService } from './users.service';

/** Users: one's own profile. */
@ApiTags('Users')
@Controller('users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  /** The user who is calling. */
  @Get('me')
  @Access('profile:own')
  async me(@CurrentUser() actor: UserActor): Promise<UserResponse> {
    return userResponse(await this.users.getSelf(actor));
  }
}
