import type { Config } from './config';

/** Where the service that speaks S3 is and how one gets in. */
export interface S3Settings {
  /** Absent: Amazon's own, of the region. */
  endpoint?: string;
  region: string;
  bucket: string;
  /** Absent: what the environment of the process gives (a role). */
  credentials?: { accessKeyId: string; secretAccessKey: string };
  /** Whether the bucket is named in the path and not in the host. */
  forcePathStyle: boolean;
  /** Begins the names of our objects, so that others may share the bucket; empty, or with a slash at the end. */
  prefix: string;
}

/** Null where files are kept on the disk. */
export function s3SettingsOf(config: Config): S3Settings | null {
  if (config.STORAGE !== 's3') return null;
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey, S3_ENDPOINT: endpoint } = config;
  return {
    ...{ region: config.S3_REGION, bucket: config.S3_BUCKET ?? '', forcePathStyle: config.S3_FORCE_PATH_STYLE },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey } }),
    prefix: config.S3_PREFIX === '' ? '' : `${config.S3_PREFIX.replace(/\/+$/, '')}/`,
  };
}

/** What is missing or given by halves. */
export function storageProblems(config: Config): string[] {
  if (config.STORAGE !== 's3') return [];
  const problems: string[] = [];
  if (!config.S3_BUCKET) problems.push('S3_BUCKET is required with STORAGE=s3');
  if ((config.S3_ACCESS_KEY_ID === undefined) !== (config.S3_SECRET_ACCESS_KEY === undefined))
    problems.push('S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY go together');
  return problems;
}
