import { IsCidrList } from '../common/cidr-list.rule';
import { StorageConfig } from './storage-config';
import { AsList, Variable } from './variable';

/** The gateway in front of the tenants' own services: a part of the configuration. */
export class GatewayConfig extends StorageConfig {
  @Variable(
    'Gateway',
    'Networks beyond the public internet that upstreams of tenants may lie in, comma-separated CIDRs; never where a cloud gives its metadata',
  )
  @AsList()
  @IsCidrList('comma-separated list')
  GATEWAY_ALLOWED_CIDRS: string[] = [];
}
