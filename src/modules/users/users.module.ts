import { Module } from '@nestjs/common';
import { Config } from '../../config/config';
import { PasswordHasher } from '../../platform/crypto/password-hasher';
import { TenantsModule } from '../tenants/tenants.module';
import { TeamEntry } from './team-entry.service';
import { TeamRepository } from './team.repository';
import { TeamService } from './team.service';
import { UsersController } from './users.controller';
import { UsersRepository } from './users.repository';
import { UsersService } from './users.service';

const hasher = {
  provide: PasswordHasher,
  inject: [Config],
  useFactory: (config: Config) => new PasswordHasher(config.BCRYPT_ROUNDS),
};

/** Users: the people who work in the tenants. */
@Module({
  imports: [TenantsModule],
  controllers: [UsersController],
  providers: [hasher, UsersRepository, UsersService, TeamRepository, TeamEntry, TeamService],
  exports: [PasswordHasher, UsersService],
})
export class UsersModule {}
