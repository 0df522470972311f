import { Module } from '@nestjs/common';
import { Config } from '../../config/config';
import { PasswordHasher } from '../../platform/crypto/password-hasher';
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
  controllers: [UsersController],
  providers: [hasher, UsersRepository, UsersService],
  exports: [PasswordHasher, UsersService],
})
export class UsersModule {}
