import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config';
import { publicUrlOf } from '../../config/our-address';
import { deriveKey } from '../../platform/crypto/keys';
import { type Linked, linkToken, readLinkToken } from '../../platform/crypto/link-token';

/** A link that opens a file without a credential. */
export interface FileLink {
  url: string;
  expiresAt: Date;
}

/** Signed links to files: each opens one file until its end, and no other however it is changed. */
@Injectable()
export class FileLinks {
  private readonly key: Buffer;
  private readonly base: string;

  constructor(config: Config) {
    if (!config.DATA_ENCRYPTION_KEY) throw new Error('DATA_ENCRYPTION_KEY is needed before links can be signed');
    this.key = deriveKey(Buffer.from(config.DATA_ENCRYPTION_KEY, 'base64'), 'file links');
    this.base = publicUrlOf(config);
  }

  /** The whole address, as the world reaches us; it ends with a whole second. */
  linkTo(file: Linked, livesS: number): FileLink {
    const endsAtMs = (Math.floor(Date.now() / 1000) + livesS) * 1000;
    return { url: `${this.base}/files/links/${linkToken(file, endsAtMs, this.key)}`, expiresAt: new Date(endsAtMs) };
  }

  /** The file that the token opens; null when it opens none, or none any more. */
  read(token: string): Linked | null {
    return readLinkToken(token, Date.now(), this.key);
  }
}
