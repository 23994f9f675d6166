// Owns which texts a call must not repeat: the credential and its parts, the headers of the config, and issued tokens.
import { isJsonObject, parseJson } from '../kernel/json.ts';
import type { TokenCache, TokenRequest } from '../kernel/token-cache.ts';
import type { ProviderTarget } from './contract/target.ts';

const HIDDEN = '[secret]';
/** Shorter texts are not treated as secrets: they would be found everywhere, and a short part of a credential is mostly a common word. */
const MIN_LENGTH = 4;
const MIN_PART_LENGTH = 8;
const SECRET_FIELD = /key|secret|token|password/i;
const ADDRESS_FIELD = /ur[il]$/i;
const BASE64 = /^[\w+/-]{16,}={0,2}$/;
const PRINTABLE = /^[\x20-\x7e]+$/;

/** All secret texts, the longest first, so that a whole secret is hidden before its parts are. */
export function secretTextsOf({ secret, headers }: ProviderTarget, issued: Iterable<string>): string[] {
  const texts = new Set(issued);
  for (const each of [secret, ...Object.values(headers)]) {
    const text = each?.reveal().trim() ?? '';
    if (text.length >= MIN_LENGTH) texts.add(text);
    for (const part of partsOf(text)) if (part.length >= MIN_PART_LENGTH) texts.add(part);
  }
  return [...texts].sort((one, other) => other.length - one.length);
}

/** The text without the secrets; the same text if it holds none. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let hidden = text;
  for (const secret of secrets) {
    if (hidden.length >= secret.length && hidden.includes(secret)) {
      hidden = hidden.replaceAll(secret, HIDDEN);
    }
  }
  return hidden;
}

/** The parts of a credential: fields of JSON, the two halves of a pair, the text after a scheme such as `Basic`, and decoded base64. */
function partsOf(text: string): string[] {
  if (text.startsWith('{')) return secretFields(text);
  const parts = text.split(/\s+/);
  for (const part of [...parts]) {
    const pair = BASE64.test(part) ? Buffer.from(part, 'base64').toString('latin1') : '';
    if (pair.includes(':') && PRINTABLE.test(pair)) parts.push(pair, ...pair.split(':'));
    if (!part.includes(':') || part.includes('://')) continue;
    parts.push(...part.split(':'), Buffer.from(part).toString('base64'));
  }
  return parts;
}

function secretFields(text: string): string[] {
  const fields = parseJson(text);
  if (!isJsonObject(fields)) return [];
  return Object.entries(fields).flatMap(([name, value]) => {
    if (typeof value !== 'string' || !SECRET_FIELD.test(name) || ADDRESS_FIELD.test(name)) return [];
    // The secret as it is, and as it is written within JSON.
    return [value, JSON.stringify(value).slice(1, -1)];
  });
}

const MAX_ISSUED = 500;

/** The token cache that adapters are given: it remembers the tokens that adapters have recently got from it. */
export class IssuedTokens implements TokenCache {
  readonly #cache: TokenCache;
  readonly #texts = new Set<string>();

  constructor(cache: TokenCache) {
    this.#cache = cache;
  }

  get texts(): Iterable<string> {
    return this.#texts;
  }

  async get(key: string, request: TokenRequest): Promise<string> {
    const token = await this.#cache.get(key, request);
    // The most recently used stand last.
    this.#texts.delete(token);
    this.#texts.add(token);
    if (this.#texts.size > MAX_ISSUED) {
      for (const oldest of this.#texts) {
        this.#texts.delete(oldest);
        break;
      }
    }
    return token;
  }
}
