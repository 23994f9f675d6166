// Owns the operator's settings for the JWTs that are accepted beside API keys.
import type { Scope } from './scope.ts';
import type { Secret } from './secret.ts';

export interface JwtSettings {
  readonly issuer: string;
  readonly audience: string;
  /** Where the issuer publishes its keys; or the secret that the issuer and the gateway share. */
  readonly key: { readonly jwksUrl: string } | { readonly secret: Secret };
  readonly algorithms: readonly string[];
  /** Name of the claim with the workspace's slug or id, and the slug where a token has none. */
  readonly workspaceClaim: string;
  readonly defaultWorkspace: string | undefined;
  /** Name of the claim with the roles, and what each means; a role that is not listed means nothing. */
  readonly rolesClaim: string;
  readonly roles: ReadonlyMap<string, readonly Scope[]>;
}
