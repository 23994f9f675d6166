// Owns the joining of a config with its provider and model into what an adapter calls.

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

/** Of maps, and of targets in the last one. */
type Level = WeakMap<object, Level | ProviderTarget>;

/** Rows never change, they are replaced: each target is made once, with the config's secrets opened, and the same object from then on. */
export class ProviderTargets {
  readonly #vault: SecretVault;
  readonly #opened = new WeakMap<
    ProviderConfigRow,
    { secret: Secret | undefined; headers: Record<string, Secret> }
  >();
  /** By config, provider, model and instance, in this order; where one of the last two is not meant, by the provider again. */
  readonly #made: Level = new WeakMap();

  constructor(vault: SecretVault) {
    this.#vault = vault;
  }

  /** Raises `MODEL_UNAVAILABLE` with what is missing, or where a secret was given for another address. */
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
