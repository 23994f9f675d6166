// Owns secrets at rest: envelope encryption with AES-256-GCM. Each secret has a key of its own, wrapped by a key of the ring.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { GatewayError } from '../../kernel/errors.ts';
import { Secret } from '../../kernel/secret.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export type SealedText = {
  readonly keyId: string;
  /** Base64 of nonce, ciphertext and tag: the secret's own key, wrapped by the ring's. */
  readonly wrappedKey: string;
  /** Base64 of nonce, ciphertext and tag of the secret. */
  readonly sealed: string;
};

export type StoredSecret = { readonly env: string } | SealedText;

export interface RingKey {
  readonly id: string;
  readonly key: Buffer;
}

/** Reads `id:base64,id:base64`; the first key encrypts. Raises `Error` that names what is wrong, never the key. */
export function parseKeyRing(text: string): RingKey[] {
  return text.split(',').map((entry, index) => {
    const [id = '', base64 = ''] = entry.trim().split(':');
    const key = Buffer.from(base64, 'base64');
    if (!/^[\w.-]{1,32}$/.test(id) || key.length !== KEY_BYTES) {
      throw new Error(`SECRET_KEYS: entry ${index + 1} must be <id>:<base64 of 32 bytes>`);
    }
    return { id, key };
  });
}

export class SecretVault {
  readonly #ring: readonly RingKey[];
  readonly #environment: Readonly<Record<string, string | undefined>>;

  constructor(ring: readonly RingKey[], environment: Readonly<Record<string, string | undefined>>) {
    if (ring.length === 0) throw new Error('SECRET_KEYS: the key ring is empty');
    this.#ring = ring;
    this.#environment = environment;
  }

  /** Encrypts. To open the result, the same `context` (the id of the row that holds it) must be given. */
  seal(text: string, context: string): SealedText {
    const ringKey = this.#ring[0] as RingKey;
    const ownKey = randomBytes(KEY_BYTES);
    return {
      keyId: ringKey.id,
      wrappedKey: encrypt(ringKey.key, ownKey, `${context}:key`),
      sealed: encrypt(ownKey, Buffer.from(text), `${context}:text`),
    };
  }

  /** `undefined` if the secret is a reference to an environment variable that is not set. */
  open(stored: StoredSecret, context: string): Secret | undefined {
    if ('env' in stored) {
      const text = this.#environment[stored.env];
      return text ? new Secret(text) : undefined;
    }
    const ringKey = this.#ring.find(({ id }) => id === stored.keyId);
    if (!ringKey) {
      throw new GatewayError(
        'INTERNAL',
        `The key ring lacks the key "${stored.keyId}" that a secret was sealed with`,
      );
    }
    const ownKey = decrypt(ringKey.key, stored.wrappedKey, `${context}:key`);
    return new Secret(decrypt(ownKey, stored.sealed, `${context}:text`).toString());
  }

  /** Ids of the keys in the ring. */
  keyIds(): string[] {
    return this.#ring.map(({ id }) => id);
  }
}

function encrypt(key: Buffer, plain: Buffer, context: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

function decrypt(key: Buffer, box: string, context: string): Buffer {
  const bytes = Buffer.from(box, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
}
