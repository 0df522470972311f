import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { Config } from '../../config/config';
import { Authenticator } from '../../platform/http/authenticator';
import { TenantsModule } from '../tenants/tenants.module';
import { UsersModule } from '../users/users.module';
import { ACCESS_TTL_S, ISSUER } from './access-token';
import { AccessTokens } from './access-tokens';
import { AccountsController } from './accounts.controller';
import { AuthController } from './auth.controller';
import { AuthService } from './auth.service';
import { BearerAuthenticator } from './bearer.authenticator';
import { JwtStrategy } from './jwt.strategy';
import { FoundingService } from './founding.service';
import { LiveLogins } from './live-logins';
import { LockOut } from './lock-out.service';
import { LoginFailuresRepository } from './login-failures.repository';
import { LoginsController } from './logins.controller';
import { LoginsRepository } from './logins.repository';
import { LoginsService } from './logins.service';
import { PasswordCheck } from './password-check.service';
import { PasswordController } from './password.controller';
import { PasswordService } from './password.service';
import { RegistrationService } from './registration.service';
import { SigningKeys } from './signing-keys';

const signing = JwtModule.registerAsync({
  inject: [Config],
  useFactory: (config: Config) => {
    const { current } = new SigningKeys(config);
    const names = { issuer: ISSUER, audience: ISSUER, keyid: current.kid };
    return { secret: current.access, signOptions: { ...names, algorithm: 'HS256', expiresIn: ACCESS_TTL_S } };
  },
});

const signingKeys = { provide: SigningKeys, inject: [Config], useFactory: (config: Config) => new SigningKeys(config) };

/** Logging in and out, signing up, and telling who calls. */
@Module({
  imports: [TenantsModule, UsersModule, signing],
  controllers: [AuthController, AccountsController, PasswordController, LoginsController],
  providers: [
    signingKeys,
    JwtStrategy,
    AccessTokens,
    LoginsRepository,
    LiveLogins,
    LoginsService,
    LoginFailuresRepository,
    LockOut,
    PasswordCheck,
    PasswordService,
    AuthService,
    FoundingService,
    RegistrationService,
    { provide: Authenticator, useClass: BearerAuthenticator },
  ],
  exports: [Authenticator],
})
export class AuthModule {}
