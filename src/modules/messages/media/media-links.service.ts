import { Injectable } from '@nestjs/common';
import { Config } from '../../../config/config';
import { addressForWaha } from '../../../config/our-address';
import { deriveKey } from '../../../platform/crypto/keys';
import { linkToken, readLinkToken } from '../../../platform/crypto/link-token';

/** Long enough for WAHA's own retries of a fetch. */
const LIVES_MS = 10 * 60_000;

/** The message whose file a link opens. */
export interface LinkedMedia {
  tenantId: string;
  messageId: string;
}

/** Links under which WAHA fetches the file of a message: signed, for ten minutes, and no other credential is asked for. */
@Injectable()
export class MediaLinks {
  private readonly key: Buffer;
  private readonly base: string;

  constructor(config: Config) {
    if (!config.DATA_ENCRYPTION_KEY) throw new Error('DATA_ENCRYPTION_KEY is needed before links can be signed');
    this.key = deriveKey(Buffer.from(config.DATA_ENCRYPTION_KEY, 'base64'), 'media links');
    this.base = addressForWaha(config);
  }

  /** The whole address, as WAHA reaches us. */
  linkTo({ tenantId, messageId: id }: LinkedMedia): string {
    return `${this.base}/media/${linkToken({ tenantId, id }, Date.now() + LIVES_MS, this.key)}`;
  }

  /** Whose file the token opens; null when it opens none, or none any more. */
  read(token: string): LinkedMedia | null {
    const linked = readLinkToken(token, Date.now(), this.key);
    return linked && { tenantId: linked.tenantId, messageId: linked.id };
  }
}
