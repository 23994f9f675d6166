// Owns joining a config with its provider and model into the target that an adapter calls.

import { GatewayError } from '../../kernel/errors.ts';
import { isJsonObject, parseJson } from '../../kernel/json.ts';
import type { Secret } from '../../kernel/secret.ts';
import { Secret as SecretText } from '../../kernel/secret.ts';
import type { AuthScheme, ProviderTarget } from '../../providers/contract/target.ts';
import type { SecretVault } from '../identity/secret-vault.ts';
import { baseUrlOf } from './provider-address.ts';
import { requireDestination } from './secret-destination.ts';
import type { ModelInstanceRow, ModelSpecRow, ProviderConfigRow, ProviderSpecRow } from './snapshot.ts';

const DEFAULT_CONNECT_MS = 5_000;

/** A tree of maps whose last level holds the targets. */
type Level = WeakMap<object, Level | ProviderTarget>;

/** Rows are replaced, never changed. So each target is made once for its rows, with the config's secrets opened, and every later call gets the same object. */
export class ProviderTargets {
  readonly #vault: SecretVault;
  readonly #opened = new WeakMap<
    ProviderConfigRow,
    { secret: Secret | undefined; headers: Record<string, Secret> }
  >();
  /** Levels in this order: config, provider, model, instance. A level without a row (no model, no instance) uses the provider's row again as its key. */
  readonly #made: Level = new WeakMap();

  constructor(vault: SecretVault) {
    this.#vault = vault;
  }

  /** Raises `MODEL_UNAVAILABLE` that says what is missing, or that a secret was given for another address. */
  of(
    config: ProviderConfigRow,
    spec: ProviderSpecRow,
    model?: ModelSpecRow,
    instance?: ModelInstanceRow,
  ): ProviderTarget {
    let level = this.#made;
    for (const row of [config, spec, model ?? spec]) {
      const next = (level.get(row) as Level | undefined) ?? new WeakMap();
      level.set(row, next);
      level = next;
    }
    const known = level.get(instance ?? spec) as ProviderTarget | undefined;
    if (known) return known;
    const target = this.#make(config, spec, model, instance);
    level.set(instance ?? spec, target);
    return target;
  }

  #make(
    config: ProviderConfigRow,
    spec: ProviderSpecRow,
    model?: ModelSpecRow,
    instance?: ModelInstanceRow,
  ): ProviderTarget {
    requireDestination(config, spec);
    const { secret, headers } = this.#open(config);
    return {
      configId: config.id,
      providerKey: spec.key,
      baseUrl: baseUrlOf(config, spec),
      auth: spec.auth as unknown as AuthScheme,
      ...(secret ? { secret } : {}),
      headers,
      settings: config.settings,
      // Quirks belong to a protocol: those of the provider's own protocol do not hold for a model that it serves by another protocol.
      quirks: {
        ...(model?.protocol && model.protocol !== spec.protocol ? {} : spec.quirks),
        ...model?.quirks,
      },
      ...(spec.hasModelList === false ? { hasModelList: false } : {}),
      connectTimeoutMs: instance?.timeLimits.connectMs ?? config.timeLimits.connectMs ?? DEFAULT_CONNECT_MS,
    };
  }

  #open(config: ProviderConfigRow) {
    const known = this.#opened.get(config);
    if (known) return known;
    const secret = config.secret ? this.#vault.open(config.secret, config.id) : undefined;
    if (config.secret && !secret) {
      const name = 'env' in config.secret ? config.secret.env : 'its secret';
      throw new GatewayError(
        'MODEL_UNAVAILABLE',
        `The config "${config.name}" refers to ${name}, which is not set`,
      );
    }
    const headers = config.headers ? readHeaders(this.#vault.open(config.headers, config.id)) : {};
    const opened = { secret, headers };
    this.#opened.set(config, opened);
    return opened;
  }
}

function readHeaders(sealed: Secret | undefined): Record<string, Secret> {
  const headers = sealed && parseJson(sealed.reveal());
  if (!isJsonObject(headers)) return {};
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, new SecretText(String(value))]),
  );
}
