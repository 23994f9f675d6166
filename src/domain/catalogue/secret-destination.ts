// Owns where a stored secret may be sent: only to the addresses that its config and provider had when the secret was given.
import { GatewayError } from '../../kernel/errors.ts';
import { canonicalJson, type JsonValue } from '../../kernel/json.ts';
import type { SecretDestination } from '../../storage/entities/provider-config.entity.ts';
import { type AddressedConfig, type AddressedSpec, baseUrlOf } from './provider-address.ts';
import type { ProviderConfigRow, ProviderSpecRow } from './snapshot.ts';

export type BoundSpec = AddressedSpec &
  Pick<ProviderSpecRow, 'auth'> & {
    readonly protocol?: string | null | undefined;
    readonly workspaceId?: string | null | undefined;
  };
type SecretHolder = AddressedConfig &
  Pick<ProviderConfigRow, 'secret' | 'secretDestination' | 'headers' | 'headersDestination'>;

/** Where a secret of the config would be sent now; no address at all if there is no provider row. */
export function destinationOf(config: AddressedConfig, spec: BoundSpec | undefined): SecretDestination {
  if (!spec) return { origins: [], protocol: null, auth: {}, byInstallation: false };
  return {
    origins: [
      ...new Set([...originsOf(baseUrlOrNothing(config, spec)), ...originsOf(config.settings)]),
    ].sort(),
    protocol: spec.protocol ?? null,
    auth: spec.auth,
    byInstallation: config.baseUrl == null && spec.workspaceId == null,
  };
}

/**
 * True if a secret that was given for `bound` may be sent to `now`. The installation may move its own provider rows: a secret that was given for such a
 * row follows it.
 */
export function mayBeSent(bound: SecretDestination | null | undefined, now: SecretDestination): boolean {
  if (!bound || (bound.byInstallation && now.byInstallation)) return true;
  return comparable(bound) === comparable(now);
}

/** Raises `MODEL_UNAVAILABLE` if a secret of the config was given for another address than its present one. */
export function requireDestination(config: SecretHolder, spec: BoundSpec): void {
  const now = destinationOf(config, spec);
  const refused =
    config.secret && !mayBeSent(config.secretDestination, now)
      ? (['secret', config.secretDestination] as const)
      : config.headers && !mayBeSent(config.headersDestination, now)
        ? (['headers', config.headersDestination] as const)
        : undefined;
  if (!refused) return;
  const [what, bound] = refused;
  throw new GatewayError(
    'MODEL_UNAVAILABLE',
    `The ${what} of the config "${config.name}" ${differenceOf(bound, now)}. Give the ${what} again, or have an administrator set the config’s baseUrl (null for the provider’s own), which confirms the new address`,
  );
}

function comparable({ origins, protocol, auth }: SecretDestination): string {
  return canonicalJson([origins, protocol, auth]);
}

function differenceOf(bound: SecretDestination | null | undefined, now: SecretDestination): string {
  const [before, after] = [bound?.origins.join(', ') || 'no address', now.origins.join(', ') || 'no address'];
  if (before !== after) return `was given for ${before}, but would be sent to ${after} now`;
  if (bound?.protocol !== now.protocol) {
    return `was given for ${before} by the protocol "${bound?.protocol}", which is "${now.protocol}" now`;
  }
  return `was given for ${before} with another way to sign in ("auth") than the provider has now`;
}

/** Empty if a setting of the address is missing: the config then cannot be called at all, which is reported elsewhere. */
function baseUrlOrNothing(config: AddressedConfig, spec: BoundSpec): string {
  try {
    return baseUrlOf(config, spec);
  } catch {
    return '';
  }
}

/** The origins of all http and https addresses in the value, at any depth. */
function originsOf(value: JsonValue): string[] {
  if (typeof value === 'string') {
    const url = /^\s*https?:/i.test(value) ? URL.parse(value) : null;
    return url ? [url.origin] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((entry: JsonValue) => originsOf(entry));
}
