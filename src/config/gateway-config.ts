import { IsBoolean, IsInt, Max, Min } from 'class-validator';
import { IsCidrList } from '../common/cidr-list.rule';
import { StorageConfig } from './storage-config';
import { AsBoolean, AsInteger, AsList, Variable } from './variable';

/** The gateway in front of the tenants' own services: a part of the configuration. */
export class GatewayConfig extends StorageConfig {
  @Variable('Gateway', 'Its port where ROLE is gateway or all (0 = any free one)')
  @AsInteger()
  @IsInt()
  @Min(0)
  @Max(65535)
  GATEWAY_PORT: number = 8080;

  @Variable(
    'Gateway',
    'Networks beyond the public internet that upstreams of tenants may lie in, comma-separated CIDRs; never where a cloud gives its metadata',
  )
  @AsList()
  @IsCidrList('comma-separated list')
  GATEWAY_ALLOWED_CIDRS: string[] = [];

  @Variable('Gateway', 'Whether its metrics tell tenants and routes apart, by their ids')
  @AsBoolean()
  @IsBoolean()
  METRICS_TENANT_LABELS: boolean = false;
}
