// Owns the limits that a key, a member or a workspace may have on its calls: the name of each, what it counts, and within which span.

interface LimitKind {
  /** What a run takes of it. */
  readonly counts: 'requests' | 'tokens';
  /** `null`: it holds for what is under way at the same time. */
  readonly windowMs: number | null;
  /** As in "your key may use 5 ...". */
  readonly words: string;
  /** For people who set it. */
  readonly description: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** In the order in which they are shown, and asked for. */
export const LIMITS = {
  requestsPerMinute: {
    counts: 'requests',
    windowMs: MINUTE_MS,
    words: 'completions a minute',
    description: 'Completions begun in any minute.',
  },
  requestsPerHour: {
    counts: 'requests',
    windowMs: HOUR_MS,
    words: 'completions an hour',
    description: 'Completions begun in any hour.',
  },
  requestsPerDay: {
    counts: 'requests',
    windowMs: DAY_MS,
    words: 'completions a day',
    description: 'Completions begun in any day.',
  },
  tokensPerMinute: {
    counts: 'tokens',
    windowMs: MINUTE_MS,
    words: 'tokens a minute',
    description: 'Tokens, in and out, in any minute.',
  },
  tokensPerHour: {
    counts: 'tokens',
    windowMs: HOUR_MS,
    words: 'tokens an hour',
    description: 'Tokens, in and out, in any hour.',
  },
  tokensPerDay: {
    counts: 'tokens',
    windowMs: DAY_MS,
    words: 'tokens a day',
    description: 'Tokens, in and out, in any day.',
  },
  concurrentRuns: {
    counts: 'requests',
    windowMs: null,
    words: 'completions at once',
    description: 'Completions under way at once.',
  },
} as const satisfies Readonly<Record<string, LimitKind>>;

export type LimitName = keyof typeof LIMITS;
export const LIMIT_NAMES = Object.keys(LIMITS) as readonly LimitName[];

/** By name, as it is stored and set. A limit that is left out does not hold. */
export type CallLimits = { readonly [Name in LimitName]?: number };
