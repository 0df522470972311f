import { IsBoolean, IsIn, IsInt, IsOptional, IsString, IsUrl, Matches, Max, MaxLength, Min } from 'class-validator';
import { HealingConfig } from './healing-config';
import { AsBoolean, AsInteger, Variable } from './variable';

/** Where files are kept, and how large they may be: a part of the configuration. */
export class StorageConfig extends HealingConfig {
  @Variable('Storage', 'Where files are kept: `disk`, or `s3` for any service that speaks S3')
  @IsIn(['disk', 's3'])
  STORAGE: 'disk' | 's3' = 'disk';

  @Variable('Storage', 'Folder of the files; every process of the installation must see the same one')
  @IsString()
  STORAGE_PATH: string = './storage';

  @Variable('Storage', 'Bytes that one file may have')
  @AsInteger()
  @IsInt()
  @Min(1)
  @Max(2_147_483_647)
  MAX_UPLOAD_BYTES: number = 52_428_800;

  @Variable('Storage', 'Address of the S3 service. Unset: Amazon S3 of the region')
  @IsOptional()
  @IsUrl(
    { protocols: ['http', 'https'], require_protocol: true, require_tld: false },
    { message: '$property must be a URL (http:// or https://…)' },
  )
  S3_ENDPOINT?: string;

  @Variable('Storage', 'Region of the bucket')
  @IsString()
  S3_REGION: string = 'us-east-1';

  @Variable('Storage', 'Bucket, which must be there')
  @IsOptional()
  @Matches(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { message: '$property must be the name of a bucket' })
  S3_BUCKET?: string;

  @Variable('Storage', 'Key id. Unset, with the secret: what the environment of the process gives (a role)')
  @IsOptional()
  @IsString()
  S3_ACCESS_KEY_ID?: string;

  @Variable('Storage', 'Secret of the key id')
  @IsOptional()
  @IsString()
  S3_SECRET_ACCESS_KEY?: string;

  @Variable('Storage', 'Whether the bucket is named in the path, as MinIO and many others want it')
  @AsBoolean()
  @IsBoolean()
  S3_FORCE_PATH_STYLE: boolean = false;

  @Variable('Storage', 'Begins the names of our objects, so that others may share the bucket')
  @Matches(/^[\w./-]*$/, { message: '$property must be letters, digits, `_`, `.`, `-` and `/`' })
  @MaxLength(200)
  S3_PREFIX: string = '';
}
