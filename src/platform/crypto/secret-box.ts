import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deriveKey } from './keys';

const VERSION = 'v1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The text was not sealed by this installation, was altered, or belongs to another context. Says nothing of its content. */
export class SecretBoxError extends Error {
  constructor() {
    super('A stored secret cannot be opened: it was altered, moved, or sealed with a key that is not known here');
    this.name = 'SecretBoxError';
  }
}

/**
 * Secrets at rest: AES-256-GCM with a random nonce. The sealed text `v1.<key id>.<nonce, ciphertext and tag>` names its key,
 * so that a new key can take over while texts of the former ones still open.
 */
export class SecretBox {
  private readonly keys: Map<string, Buffer>;
  private readonly currentId: string;

  /** @param secrets at least 32 random bytes each: the first seals, all open. */
  constructor(secrets: [Buffer, ...Buffer[]]) {
    this.keys = new Map(secrets.map((secret) => [idOf(secret), deriveKey(secret, 'secret-box')]));
    this.currentId = idOf(secrets[0]);
  }

  /**
   * @param context what the secret belongs to (`webhook-endpoint:<id>`): the sealed text opens nowhere else.
   * @returns text of letters, digits, `.`, `-` and `_`; another one each time.
   */
  seal(plain: string, context: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.keyOf(this.currentId), nonce);
    cipher.setAAD(this.boundTo(this.currentId, context));
    const sealed = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${VERSION}.${this.currentId}.${sealed.toString('base64url')}`;
  }

  /** @throws SecretBoxError when it is not exactly what `seal` gave for this context. */
  open(sealed: string, context: string): string {
    const [version, keyId = '', data = '', ...rest] = sealed.split('.');
    const bytes = Buffer.from(data, 'base64url');
    if (version !== VERSION || rest.length > 0 || bytes.length < NONCE_BYTES + TAG_BYTES) throw new SecretBoxError();
    const decipher = createDecipheriv('aes-256-gcm', this.keyOf(keyId), bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(this.boundTo(keyId, context));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString(
        'utf8',
      );
    } catch {
      throw new SecretBoxError();
    }
  }

  /** Whether the text was sealed with a former key: seal it again when it is written next. */
  isOutdated(sealed: string): boolean {
    return sealed.split('.')[1] !== this.currentId;
  }

  private keyOf(id: string): Buffer {
    const key = this.keys.get(id);
    if (!key) throw new SecretBoxError();
    return key;
  }

  private boundTo(keyId: string, context: string): Buffer {
    return Buffer.from(`${VERSION}.${keyId}.${context}`, 'utf8');
  }
}

const idOf = (secret: Buffer): string => deriveKey(secret, 'secret-box key id', 6).toString('base64url');
