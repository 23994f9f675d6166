// Owns persisted operations: a client sends only the digest of an operation that the gateway knows, and the operator may forbid all others.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { GraphQLError } from 'graphql';
import { StartError } from '../../kernel/errors.ts';

interface PersistedOptions {
  /** JSON file: SHA-256 in hex to the text of the operation. */
  readonly file: string | undefined;
  /** True: operations that are not in the file are refused. */
  readonly only: boolean;
}

const SHA256 = /^[0-9a-f]{64}$/;

export class PersistedOperations {
  readonly #known: ReadonlyMap<string, string>;
  readonly #texts: ReadonlySet<string>;
  readonly only: boolean;

  /** Raises `StartError` if the file cannot be read, or if a digest does not fit its text. */
  constructor({ file, only }: PersistedOptions) {
    this.#known = file === undefined ? new Map() : readManifest(file);
    this.#texts = new Set(this.#known.values());
    this.only = only;
    if (only && this.#known.size === 0) {
      throw new StartError('PERSISTED_ONLY: needs PERSISTED_OPERATIONS, a file with at least one operation');
    }
  }

  get(digest: string): string | undefined {
    return this.#known.get(digest);
  }

  /** The text to execute. Raises a `GraphQLError` if the operation is unknown or not allowed. */
  resolve(query: string | null | undefined, extensions: unknown): string {
    const digest = digestOf(extensions);
    // The graphql-ws protocol wants a text always: an empty one stands for none.
    const text = query || (digest === undefined ? undefined : this.#known.get(digest));
    if (text === undefined) {
      throw digest === undefined
        ? new GraphQLError('An operation needs "query", or the digest of a persisted one', {
            extensions: { code: 'BAD_REQUEST' },
          })
        : new GraphQLError('PersistedQueryNotFound', { extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } });
    }
    this.allow(text);
    return text;
  }

  /** Raises a `GraphQLError` unless the operation may be sent. */
  allow(text: string): void {
    if (!this.only || this.#texts.has(text)) return;
    throw new GraphQLError('Only operations that the operator has registered are executed here', {
      extensions: { code: 'FORBIDDEN', http: { status: 403 } },
    });
  }
}

function digestOf(extensions: unknown): string | undefined {
  const { persistedQuery } = (extensions ?? {}) as { persistedQuery?: { sha256Hash?: unknown } };
  return typeof persistedQuery?.sha256Hash === 'string' ? persistedQuery.sha256Hash : undefined;
}

function readManifest(file: string): Map<string, string> {
  let manifest: unknown;
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new StartError(
      `PERSISTED_OPERATIONS: "${file}" could not be read as JSON: ${(error as Error).message}`,
    );
  }
  const known = new Map<string, string>();
  for (const [digest, text] of Object.entries(manifest as object)) {
    const right = typeof text === 'string' && SHA256.test(digest) && sha256(text) === digest;
    if (!right)
      throw new StartError(
        `PERSISTED_OPERATIONS: "${digest.slice(0, 64)}" is not the SHA-256 of its operation`,
      );
    known.set(digest, text);
  }
  return known;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
