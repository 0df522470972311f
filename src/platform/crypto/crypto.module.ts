import { Global, Module } from '@nestjs/common';
import { Config } from '../../config/config';
import { SecretBox } from './secret-box';

const secretBox = {
  provide: SecretBox,
  inject: [Config],
  useFactory: ({ DATA_ENCRYPTION_KEY: key }: Config) => {
    if (!key) throw new Error('DATA_ENCRYPTION_KEY is needed before secrets can be kept');
    return new SecretBox([Buffer.from(key, 'base64')]);
  },
};

/** Encryption of secrets at rest. */
@Global()
@Module({ providers: [secretBox], exports: [SecretBox] })
export class CryptoModule {}
