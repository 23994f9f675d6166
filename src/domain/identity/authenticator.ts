// Owns sign-in by API key or JWT: it keeps keys, members and workspaces in memory, gives the viewer for a credential, and tells when a credential ends.
import { createHash } from 'node:crypto';
import type { CallLimits } from '../../kernel/call-limits.ts';
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError } from '../../kernel/errors.ts';
import { isScope } from '../../kernel/scope.ts';
import type {
  SnapshotRepository,
  SnapshotRow,
  SnapshotTable,
} from '../../storage/repositories/snapshot.repository.ts';
import { hashApiKey } from './api-keys.ts';
import type { JwtClaims, JwtVerifier } from './jwt-verifier.ts';
import type { KeyUses } from './key-uses.ts';
import { DEFAULT_WORKSPACE, type Viewer } from './viewer.ts';

export interface AuthenticatorDependencies {
  readonly repository: SnapshotRepository;
  readonly clock: Clock;
  readonly uses: KeyUses;
  /** Loads what other nodes have written up to now. */
  readonly refresh: () => Promise<void>;
  /** Absent if no JWTs are accepted. */
  readonly jwt: JwtVerifier | undefined;
  /** The limits of a key or member that has none of its own. */
  readonly defaultLimits: CallLimits;
}

/** A credential that was valid at sign-in; it may be revoked or expire at any time. */
export interface SignedIn {
  /** The viewer that the credential stands for now. Raises `UNAUTHENTICATED` after it was revoked or has expired. */
  viewer(): Viewer;
}

/** Which credentials are checked: all; known keys and any token, but no unknown keys; or only credentials that are known to be good. */
export type Looks = 'all' | 'tokens' | 'known';

interface KnownKey {
  readonly viewer: Viewer;
  readonly keyId: string;
  readonly expiresAtMs: number;
  readonly revokedAtMs: number;
}

interface Follower {
  readonly signedIn: SignedIn;
  readonly ended: (reason: string) => void;
}

/** No API key has this form. */
const JWT_FORM = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const MAX_VERIFIED = 10_000;
const MAX_CREDENTIAL_LENGTH = 16_384;
const LOOK_FOR_EXPIRED_MS = 500;

export class Authenticator {
  readonly #needs: AuthenticatorDependencies;
  #keys = new Map<string, KnownKey>();
  #workspaces = new Map<string, SnapshotRow<'workspace'>>();
  #members = new Map<string, SnapshotRow<'member'>>();
  /** Claims of verified tokens by the token's digest, so that the next request of the same caller needs no check of the signature. */
  readonly #verified = new Map<string, JwtClaims>();
  readonly #followers = new Set<Follower>();
  readonly #timer: NodeJS.Timeout;
  #refreshing: Promise<void> | undefined;
  #nextRefresh: Promise<void> | undefined;

  constructor(needs: AuthenticatorDependencies) {
    this.#needs = needs;
    this.#timer = setInterval(() => this.#endFollowers(), LOOK_FOR_EXPIRED_MS);
    this.#timer.unref();
  }

  async reload(changed: ReadonlySet<SnapshotTable>): Promise<void> {
    if (!changed.has('api_key') && !changed.has('workspace') && !changed.has('member')) return;
    const { repository } = this.#needs;
    const [workspaces, keys, members] = await Promise.all([
      repository.rows('workspace'),
      repository.rows('api_key'),
      repository.rows('member'),
    ]);
    // A text in the form of an id is looked up as an id first: a slug may have the same form.
    this.#workspaces = new Map([
      ...workspaces.map((workspace) => [workspace.slug, workspace] as const),
      ...workspaces.map((workspace) => [workspace.id, workspace] as const),
    ]);
    this.#members = new Map(members.map((member) => [`${member.workspaceId} ${member.subject}`, member]));
    this.#keys = new Map(keys.flatMap((key) => this.#known(key)));
    this.#endFollowers();
  }

  /**
   * Takes an `Authorization` value (`Bearer <key or token>`, or the bare credential). Raises `UNAUTHENTICATED` with the reason, and
   * `STORAGE_UNAVAILABLE` where a token cannot be checked now.
   */
  signIn(authorization: string | undefined, looks: Looks = 'all'): SignedIn | Promise<SignedIn> {
    const credential = authorization?.replace(/^Bearer\s+/i, '').trim();
    if (!credential) {
      throw new GatewayError(
        'UNAUTHENTICATED',
        'A credential is required: send "Authorization: Bearer <key>"',
      );
    }
    if (credential.length > MAX_CREDENTIAL_LENGTH) throw unknownKey();
    const hash = hashApiKey(credential);
    if (this.#keys.has(hash)) return this.#signInByKey(hash);
    const { jwt } = this.#needs;
    if (jwt && JWT_FORM.test(credential)) return this.#signInByToken(credential, looks, jwt);
    if (looks !== 'all') throw unknownKey();
    return this.#signInByNewKey(hash);
  }

  /** Calls `ended` as soon as the credential is no longer good, until the returned function is called. */
  follow(signedIn: SignedIn, ended: (reason: string) => void): () => void {
    const follower = { signedIn, ended };
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #keyOf(hash: string): KnownKey {
    const known = this.#keys.get(hash);
    const now = this.#needs.clock.now().getTime();
    if (!known || known.revokedAtMs <= now) throw unknownKey();
    if (known.expiresAtMs <= now) throw new GatewayError('UNAUTHENTICATED', 'This API key has expired');
    return known;
  }

  #signInByKey(hash: string): SignedIn {
    this.#needs.uses.used(this.#keyOf(hash).keyId, this.#needs.clock.now().getTime());
    return { viewer: () => this.#keyOf(hash).viewer };
  }

  /** Looks for the key in the database once more, since another node may have made it a moment ago. */
  async #signInByNewKey(hash: string): Promise<SignedIn> {
    try {
      await this.#refreshFromNow();
    } catch (error) {
      throw new GatewayError('STORAGE_UNAVAILABLE', 'This API key cannot be checked now; ask again', {
        cause: error,
        retryAfterMs: 1_000,
      });
    }
    return this.#signInByKey(hash);
  }

  /**
   * A refresh under way may have read the database before the key was written. Callers that arrive during it therefore share one refresh that begins
   * afterwards.
   */
  #refreshFromNow(): Promise<void> {
    if (this.#refreshing) {
      this.#nextRefresh ??= this.#refreshing
        .catch(() => {})
        .then(() => {
          this.#nextRefresh = undefined;
          return this.#refresh();
        });
      return this.#nextRefresh;
    }
    return this.#refresh();
  }

  #refresh(): Promise<void> {
    this.#refreshing = this.#needs.refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #signInByToken(token: string, looks: Looks, jwt: JwtVerifier): Promise<SignedIn> {
    const digest = createHash('sha256').update(token).digest('base64');
    let claims = this.#verified.get(digest);
    if (!claims) {
      if (looks === 'known') throw unknownKey();
      claims = await jwt.verify(token);
      if (this.#verified.size >= MAX_VERIFIED) this.#verified.clear();
      this.#verified.set(digest, claims);
    }
    const good = claims;
    const signedIn = { viewer: () => this.#viewerOfToken(good) };
    signedIn.viewer();
    return signedIn;
  }

  #viewerOfToken(claims: JwtClaims): Viewer {
    if (claims.expiresAtMs <= this.#needs.clock.now().getTime()) {
      throw new GatewayError('UNAUTHENTICATED', 'This token has expired');
    }
    const workspace = this.#workspaces.get(claims.workspace);
    if (!workspace) {
      throw new GatewayError('UNAUTHENTICATED', 'This token is not accepted: its workspace is unknown here');
    }
    const member = this.#members.get(`${workspace.id} ${claims.subject}`);
    return {
      workspaceId: workspace.id,
      caller: `sub:${claims.subject}`,
      scopes: claims.scopes,
      installationAdmin: false,
      ...this.#boundsOf(member, workspace),
    };
  }

  /** A rotated key is also known by its old text until the overlap ends. */
  #known(key: SnapshotRow<'api_key'>): [string, KnownKey][] {
    const workspace = this.#workspaces.get(key.workspaceId);
    const scopes = new Set(key.scopes.filter(isScope));
    const expiresAtMs = key.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
    const known = {
      viewer: {
        workspaceId: key.workspaceId,
        caller: `key:${key.id}`,
        scopes,
        installationAdmin: workspace?.slug === DEFAULT_WORKSPACE && scopes.has('admin'),
        ...this.#boundsOf(key, workspace),
      },
      keyId: key.id,
      expiresAtMs,
      revokedAtMs: key.revokedAt?.getTime() ?? Number.POSITIVE_INFINITY,
    };
    if (!key.previousHash || !key.previousExpiresAt) return [[key.hash, known]];
    const overlapEndsMs = Math.min(expiresAtMs, key.previousExpiresAt.getTime());
    return [
      [key.hash, known],
      [key.previousHash, { ...known, expiresAtMs: overlapEndsMs }],
    ];
  }

  #boundsOf(
    own: { readonly allowedModels: readonly string[]; readonly limits: CallLimits } | undefined,
    workspace: SnapshotRow<'workspace'> | undefined,
  ): Pick<Viewer, 'allowedModels' | 'limits' | 'workspaceLimits'> {
    return {
      allowedModels: own && own.allowedModels.length > 0 ? new Set(own.allowedModels) : undefined,
      limits: { ...this.#needs.defaultLimits, ...own?.limits },
      workspaceLimits: workspace?.limits ?? {},
    };
  }

  #endFollowers(): void {
    for (const follower of this.#followers) {
      try {
        follower.signedIn.viewer();
      } catch (error) {
        this.#followers.delete(follower);
        follower.ended((error as Error).message);
      }
    }
  }
}

function unknownKey(): GatewayError {
  return new GatewayError('UNAUTHENTICATED', 'This API key is unknown or was revoked');
}
