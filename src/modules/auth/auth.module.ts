import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { Config } from '../../config/config';
import { Authenticator } from '../../platform/http/authenticator';
import { ApiKeysModule } from '../api-keys/api-keys.module';
import { TenantsModule } from '../tenants/tenants.module';
import { UsersModule } from '../users/users.module';
import { ACCESS_TTL_S, ISSUER } from './access-token';
import { AccessTokens } from './access-tokens';
import { AccountsController } from './accounts.controller';
import { AuthController } from './auth.controller';
import { AuthService } from './auth.service';
import { CredentialAuthenticator } from './credential.authenticator';
import { DevPeople } from './dev-people.service';
import { DevTokens } from './dev-tokens.service';
import { Introspection } from './introspection.service';
import { JwtStrategy } from './jwt.strategy';
import { FoundingService } from './founding.service';
import { LiveLogins } from './live-logins';
import { LiveTokens } from './live-tokens';
import { LockOut } from './lock-out.service';
import { LoginFailuresRepository } from './login-failures.repository';
import { LoginsController } from './logins.controller';
import { LoginsRepository } from './logins.repository';
import { LoginsService } from './logins.service';
import { PasswordCheck } from './password-check.service';
import { PasswordController } from './password.controller';
import { PasswordService } from './password.service';
import { PlatformKey } from './platform-key';
import { Profiles } from './profiles';
import { RegistrationService } from './registration.service';
import { ServiceTokens } from './service-tokens.service';
import { SigningKeys } from './signing-keys';
import { TenantFounding } from './tenant-founding.service';
import { TenantsFoundingController } from './tenants-founding.controller';
import { TokenController } from './token.controller';

const signing = JwtModule.registerAsync({
  inject: [Config],
  useFactory: (config: Config) => {
    const { current } = new SigningKeys(config);
    const names = { issuer: ISSUER, audience: ISSUER, keyid: current.kid };
    return { secret: current.access, signOptions: { ...names, algorithm: 'HS256', expiresIn: ACCESS_TTL_S } };
  },
});

const signingKeys = { provide: SigningKeys, inject: [Config], useFactory: (config: Config) => new SigningKeys(config) };

const platformKey = { provide: PlatformKey, inject: [Config], useFactory: (config: Config) => new PlatformKey(config) };

/** Logging in and out, signing up, tokens of services, and telling who calls. */
@Module({
  imports: [TenantsModule, UsersModule, ApiKeysModule, signing],
  controllers: [
    AuthController,
    AccountsController,
    PasswordController,
    LoginsController,
    TokenController,
    TenantsFoundingController,
  ],
  providers: [
    signingKeys,
    platformKey,
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
    TenantFounding,
    RegistrationService,
    LiveTokens,
    Profiles,
    ServiceTokens,
    DevPeople,
    DevTokens,
    Introspection,
    { provide: Authenticator, useClass: CredentialAuthenticator },
  ],
  exports: [Authenticator],
})
export class AuthModule {}
