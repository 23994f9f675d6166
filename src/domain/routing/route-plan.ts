// Owns the plan of a run: every candidate with its place and the reason for it, or with the reason why it was left out.

export type Fallback = 'NONE' | 'SAME_MODEL' | 'ANY';

/** What kind of name the caller's `model` is. */
export type SelectionKind = 'INSTANCE' | 'MODEL' | 'TAG' | 'AUTO';

export type ReasonCode =
  /** Places. */
  | 'NAMED'
  | 'PRIORITY'
  | 'WEIGHT'
  | 'CONTINUATION'
  | 'FALLBACK'
  | 'UNHEALTHY_LAST'
  | 'QUIET_LAST'
  | 'PROBE'
  | 'LAST_RESORT'
  /** Reasons for leaving out. */
  | 'NOT_NAMED'
  | 'INSTANCE_DISABLED'
  | 'CONFIG_DISABLED'
  | 'PROVIDER_DISABLED'
  | 'MODEL_UNAVAILABLE'
  | 'MODEL_MISSING'
  | 'NO_CREDENTIALS'
  | 'PROTOCOL_MISSING'
  | 'CAPABILITY_MISSING'
  | 'OUTPUT_NOT_TEXT'
  | 'CONTEXT_TOO_SMALL'
  | 'MAX_TOKENS_TOO_HIGH'
  | 'EXCLUDED'
  | 'OVER_PRICE'
  | 'UNPRICED'
  | 'NOT_ALLOWED'
  | 'CIRCUIT_OPEN'
  | 'SIMULATED';

export interface PlannedCandidate {
  /** 1 is tried first; null = left out. */
  readonly place: number | null;
  /** The instance's slug, or `<canonical id>@<config name>` if a config serves as an implicit instance. */
  readonly label: string;
  readonly instanceId: string | null;
  readonly configId: string;
  readonly canonicalId: string;
  readonly priority: number;
  readonly weight: number;
  readonly code: ReasonCode;
  /** The same in words that a person reads. */
  readonly reason: string;
  /** True if only the fallback added it; absent: the caller named it. */
  readonly isFallback?: boolean;
}

export interface RoutePlan {
  readonly model: string;
  readonly kind: SelectionKind;
  readonly fallback: Fallback;
  readonly candidates: readonly PlannedCandidate[];
  /** The whole choice in one sentence. */
  readonly summary: string;
}
