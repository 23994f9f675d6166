// Owns the orders of the catalogue's lists. Every order ends with the id, so that a position in it is unique.
interface SortKey {
  /** Never null. */
  readonly expression: string;
  readonly type: 'text' | 'bigint' | 'date' | 'timestamptz';
}

const text = (column: string): SortKey => ({ expression: `lower(${column}) collate "C"`, type: 'text' });
const moment = (column: string): SortKey => ({ expression: column, type: 'timestamptz' });
const TIMES = { createdAt: moment('t.created_at'), updatedAt: moment('t.updated_at') };

/** Unpriced models come after every price. */
const UNPRICED = '9223372036854775807';

const SORT_KEYS = {
  provider_spec: { displayName: text('t.display_name'), key: text('t.key'), ...TIMES },
  model_spec: {
    displayName: text('t.display_name'),
    canonicalId: text('t.canonical_id'),
    contextLength: { expression: 'coalesce(t.context_length, 0)::bigint', type: 'bigint' },
    inputPrice: { expression: `coalesce(price.input_nano_per_million, ${UNPRICED})`, type: 'bigint' },
    outputPrice: { expression: `coalesce(price.output_nano_per_million, ${UNPRICED})`, type: 'bigint' },
    releasedAt: { expression: "coalesce(t.released_at, date '0001-01-01')", type: 'date' },
    ...TIMES,
  },
  provider_config: { name: text('t.name'), ...TIMES },
  model_instance: {
    slug: text('t.slug'),
    displayName: text('t.display_name'),
    priority: { expression: 't.priority::bigint', type: 'bigint' },
    ...TIMES,
  },
} satisfies Record<string, Record<string, SortKey>>;

export type SortField<Table extends keyof typeof SORT_KEYS> = keyof (typeof SORT_KEYS)[Table] & string;

export interface CatalogueOrder<Table extends keyof typeof SORT_KEYS> {
  readonly field: SortField<Table>;
  readonly descending: boolean;
}

export function sortKeyOf<Table extends keyof typeof SORT_KEYS>(
  table: Table,
  field: SortField<Table>,
): SortKey {
  return (SORT_KEYS[table] as unknown as Record<string, SortKey>)[field] as SortKey;
}
