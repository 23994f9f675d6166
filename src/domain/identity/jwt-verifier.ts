// Owns the checking of JWTs: a library checks signature, issuer, audience, times and algorithm; this code then reads workspace, subject and roles from
// the claims.
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { GatewayError } from '../../kernel/errors.ts';
import type { JwtSettings } from '../../kernel/jwt-settings.ts';
import type { Scope } from '../../kernel/scope.ts';
import { isStorableText } from '../../kernel/text.ts';

/** The facts that a valid token states. */
export interface JwtClaims {
  readonly subject: string;
  /** Slug or id of the workspace. */
  readonly workspace: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly expiresAtMs: number;
}

/** How far the clocks of issuer and gateway may differ, in seconds. */
const CLOCK_TOLERANCE_S = 5;
const KEYS_TIMEOUT_MS = 3_000;
const MAX_SUBJECT_LENGTH = 255;
/** Errors which mean that the issuer's keys could not be fetched, not that the token is bad. */
const KEY_FAULTS = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);

export class JwtVerifier {
  readonly #options: JwtSettings;
  readonly #keyOf: JWTVerifyGetKey;

  constructor(options: JwtSettings) {
    this.#options = options;
    const { key } = options;
    if ('secret' in key) {
      const bytes = new TextEncoder().encode(key.secret.reveal());
      this.#keyOf = async () => bytes;
    } else this.#keyOf = createRemoteJWKSet(new URL(key.jwksUrl), { timeoutDuration: KEYS_TIMEOUT_MS });
  }

  /** Raises `UNAUTHENTICATED` with the reason, or `STORAGE_UNAVAILABLE` if the issuer's keys cannot be fetched now. */
  async verify(token: string): Promise<JwtClaims> {
    const { issuer, audience, algorithms } = this.#options;
    try {
      const { payload } = await jwtVerify(token, this.#keyOf, {
        issuer,
        audience,
        algorithms: [...algorithms],
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ['sub', 'exp'],
      });
      return this.#read(payload);
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      const ours = !(error instanceof errors.JOSEError) || KEY_FAULTS.has(error.code);
      if (ours) {
        throw new GatewayError(
          'STORAGE_UNAVAILABLE',
          'The keys of the token’s issuer cannot be fetched now; ask again',
          {
            cause: error,
            retryAfterMs: 1_000,
          },
        );
      }
      throw new GatewayError('UNAUTHENTICATED', `This token is not accepted: ${error.message}`, {
        cause: error,
      });
    }
  }

  #read(payload: JWTPayload): JwtClaims {
    const { workspaceClaim, defaultWorkspace, rolesClaim, roles } = this.#options;
    const { sub, exp } = payload;
    if (typeof sub !== 'string' || sub === '' || sub.length > MAX_SUBJECT_LENGTH) {
      throw refused(`"sub" must be text of 1 to ${MAX_SUBJECT_LENGTH} characters`);
    }
    if (!isStorableText(sub)) throw refused('"sub" holds U+0000 or half a surrogate pair');
    const workspace = claimOf(payload, workspaceClaim) ?? defaultWorkspace;
    if (typeof workspace !== 'string' || workspace === '') {
      throw refused(`it names no workspace in its claim "${workspaceClaim}"`);
    }
    const scopes = new Set(wordsOf(claimOf(payload, rolesClaim)).flatMap((role) => roles.get(role) ?? []));
    if (scopes.size === 0) throw refused(`its claim "${rolesClaim}" holds no role that is known here`);
    return { subject: sub, workspace, scopes, expiresAtMs: (exp ?? 0) * 1_000 };
  }
}

function refused(why: string): GatewayError {
  return new GatewayError('UNAUTHENTICATED', `This token is not accepted: ${why}`);
}

/** Looks the claim up by its whole name, which may hold dots, then as a path: `app_metadata.workspace`. */
function claimOf(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  let value: unknown = payload;
  for (const step of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

/** Takes a list, or a text of words that spaces or commas separate, as in the claim `scope`. */
function wordsOf(value: unknown): string[] {
  const words = typeof value === 'string' ? value.split(/[\s,]+/) : Array.isArray(value) ? value : [];
  return words.filter((word): word is string => typeof word === 'string' && word !== '');
}
