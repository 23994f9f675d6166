// Owns the filters of the catalogue's lists, and the SQL of each.
import type { Nano } from '../../kernel/money.ts';
import type { ConfigHealth, ConfigOrigin } from '../entities/provider-config.entity.ts';
import type { RowOrigin } from '../entities/provider-spec.entity.ts';

/** SQL text with `?` for each value; `t` is the listed table, `price` the price in force if a filter or an order needs it. */
export interface SqlPart {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** Every condition must hold. Of a list of names any one suffices; of `capabilities`, modalities and `tags` all must be there. */
export interface ProviderSpecFilter {
  readonly search?: string;
  readonly keys?: readonly string[];
  readonly protocols?: readonly string[];
  readonly categories?: readonly string[];
  readonly enabled?: boolean;
  /** True: only rows whose protocol is known. */
  readonly servable?: boolean;
  readonly free?: boolean;
  readonly origin?: RowOrigin;
}

export interface ModelSpecFilter {
  readonly ids?: readonly string[];
  readonly search?: string;
  readonly canonicalIds?: readonly string[];
  readonly providerKeys?: readonly string[];
  readonly capabilities?: readonly string[];
  readonly inputModalities?: readonly string[];
  readonly outputModalities?: readonly string[];
  readonly tags?: readonly string[];
  readonly minContextLength?: number;
  /** Nano-dollars per million tokens; a model without a price fits neither bound. */
  readonly maxInputPrice?: Nano;
  readonly maxOutputPrice?: Nano;
  readonly available?: boolean;
  readonly origin?: RowOrigin;
}

export interface ProviderConfigFilter {
  readonly search?: string;
  readonly providerKeys?: readonly string[];
  readonly enabled?: boolean;
  readonly health?: ConfigHealth;
  readonly origin?: ConfigOrigin;
}

export interface ModelInstanceFilter {
  readonly ids?: readonly string[];
  readonly search?: string;
  readonly providerKeys?: readonly string[];
  readonly configIds?: readonly string[];
  readonly canonicalIds?: readonly string[];
  readonly tags?: readonly string[];
  readonly enabled?: boolean;
  readonly origin?: ConfigOrigin;
}

export interface CatalogueFilters {
  readonly provider_spec: ProviderSpecFilter;
  readonly model_spec: ModelSpecFilter;
  readonly provider_config: ProviderConfigFilter;
  readonly model_instance: ModelInstanceFilter;
}

type Conditions<Filter> = {
  readonly [Name in keyof Filter]-?: (value: NonNullable<Filter[Name]>) => SqlPart;
};

const anyOf = (column: string) => (values: readonly string[]) => ({
  sql: `${column} in (select jsonb_array_elements_text(?::jsonb))`,
  values: [JSON.stringify(values)],
});
const allOf = (column: string) => (values: readonly string[]) => ({
  sql: `${column} @> array(select jsonb_array_elements_text(?::jsonb))`,
  values: [JSON.stringify(values)],
});
const equals = (column: string) => (value: string | boolean) => ({ sql: `${column} = ?`, values: [value] });
const within = (text: string) => (part: string) => ({
  sql: `position(lower(?) in lower(${text})) > 0`,
  values: [part],
});
const atLeast = (column: string) => (value: number) => ({ sql: `${column} >= ?`, values: [value] });
const atMost = (column: string) => (value: Nano) => ({ sql: `${column} <= ?`, values: [value.toString()] });

const CONDITIONS: { readonly [Table in keyof CatalogueFilters]: Conditions<CatalogueFilters[Table]> } = {
  provider_spec: {
    search: within("t.key || ' ' || t.display_name"),
    keys: anyOf('t.key'),
    protocols: anyOf('t.protocol'),
    categories: anyOf('t.category'),
    enabled: equals('t.enabled'),
    servable: equals('(t.protocol is not null)'),
    free: equals('t.free'),
    origin: equals('t.origin'),
  },
  model_spec: {
    ids: anyOf('t.id::text'),
    search: within("t.canonical_id || ' ' || t.display_name"),
    canonicalIds: anyOf('t.canonical_id'),
    providerKeys: anyOf('t.provider_key'),
    capabilities: allOf('t.capabilities'),
    inputModalities: allOf('t.input_modalities'),
    outputModalities: allOf('t.output_modalities'),
    tags: allOf('t.tags'),
    minContextLength: atLeast('t.context_length'),
    maxInputPrice: atMost('price.input_nano_per_million'),
    maxOutputPrice: atMost('price.output_nano_per_million'),
    available: equals('t.available'),
    origin: equals('t.origin'),
  },
  provider_config: {
    search: within("t.name || ' ' || t.provider_key"),
    providerKeys: anyOf('t.provider_key'),
    enabled: equals('t.enabled'),
    health: equals('t.health'),
    origin: equals('t.origin'),
  },
  model_instance: {
    ids: anyOf('t.id::text'),
    search: within("t.slug || ' ' || t.display_name || ' ' || t.canonical_id"),
    providerKeys: anyOf(
      '(select config.provider_key from provider_config config where config.id = t.config_id)',
    ),
    configIds: anyOf('t.config_id::text'),
    canonicalIds: anyOf('t.canonical_id'),
    tags: allOf('t.tags'),
    enabled: equals('t.enabled'),
    origin: equals('t.origin'),
  },
};

/** The conditions of a filter, one part each. */
export function conditionsOf<Table extends keyof CatalogueFilters>(
  table: Table,
  filter: CatalogueFilters[Table],
): SqlPart[] {
  const known = CONDITIONS[table] as unknown as Record<string, (value: unknown) => SqlPart>;
  return Object.entries(filter).flatMap(([name, value]) => {
    const condition = known[name];
    return condition === undefined || value === undefined ? [] : [condition(value)];
  });
}
