// Owns the address at which a config's provider is called.
import { GatewayError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json.ts';
import type { ProviderConfigRow, ProviderSpecRow } from './snapshot.ts';

const PLACEHOLDER = /\{([A-Za-z][A-Za-z0-9]*)\}/g;

export type AddressedConfig = Pick<ProviderConfigRow, 'name' | 'settings'> & {
  readonly baseUrl?: string | null | undefined;
};
export type AddressedSpec = Pick<ProviderSpecRow, 'settingsSchema'> & {
  readonly baseUrl?: string | null | undefined;
};

/** The config's own address, else the provider's with the settings filled in; without a trailing slash. Raises `MODEL_UNAVAILABLE` if a setting is missing. */
export function baseUrlOf(config: AddressedConfig, spec: AddressedSpec): string {
  const url = config.baseUrl ?? fillIn(spec, config);
  return url.replace(/\/+$/, '');
}

function fillIn({ baseUrl, settingsSchema }: AddressedSpec, config: AddressedConfig): string {
  const properties = (settingsSchema.properties ?? {}) as Readonly<Record<string, JsonObject>>;
  return (baseUrl ?? '').replace(PLACEHOLDER, (_whole, name: string) => {
    const value = config.settings[name] ?? properties[name]?.default;
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw new GatewayError(
        'MODEL_UNAVAILABLE',
        `The config "${config.name}" lacks the setting "${name}", which its address needs`,
      );
    }
    return encodeURIComponent(value);
  });
}
