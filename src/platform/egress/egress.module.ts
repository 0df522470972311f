import { Global, Module } from '@nestjs/common';
import { Config } from '../../config/config';
import { Egress } from './egress';

const egress = {
  provide: Egress,
  inject: [Config],
  useFactory: ({ EGRESS_ALLOWED_CIDRS: allowed }: Config) => new Egress({ allowed }),
};

/** Requests to addresses that tenants name. */
@Global()
@Module({ providers: [egress], exports: [Egress] })
export class EgressModule {}
