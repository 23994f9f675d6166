// Owns the headers that sign a request by AWS Signature Version 4.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredential } from './credentials.ts';

export interface SigningInput {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  /** Headers that no proxy on the way changes. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly credential: Extract<AwsCredential, { type: 'access-key' }>;
  readonly region: string;
  readonly date: Date;
}

/** The given headers and those of the signature; without `host`, which the HTTP client sets to what was signed. */
export async function signedHeaders(input: SigningInput): Promise<Record<string, string>> {
  const { method, url, headers, body, credential, region, date } = input;
  const signer = new SignatureV4({
    service: 'bedrock',
    region,
    credentials: credential,
    sha256: NodeSha256,
    // The path is encoded once more for the signature, as for every service but S3.
    uriEscapePath: true,
  });
  const signed = await signer.sign(
    {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { ...headers, host: url.host },
      ...(body === undefined ? {} : { body }),
    },
    { signingDate: date },
  );
  const { host: _host, ...sent } = signed.headers;
  return sent;
}

/** The form of digest that the signer requires, on Node's own implementation, since a body with images is megabytes long. */
class NodeSha256 {
  readonly #secret: string | Buffer | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = typeof secret === 'string' || secret === undefined ? secret : bytesOf(secret);
    this.#hash = this.#fresh();
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#fresh();
  }

  #fresh(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
  }
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Buffer {
  return ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data);
}
