// Owns how much a completion takes of the limits of its caller and workspace, and what a caller is told about them.
import type { LimitAnswer, Limiter, LimitWant } from '../../coordination/contract.ts';
import { type CallLimits, LIMIT_NAMES, LIMITS, type LimitName } from '../../kernel/call-limits.ts';
import { GatewayError, type GatewayErrorDetails } from '../../kernel/errors.ts';
import { totalTokens } from '../billing/usage.ts';
import type { Viewer } from '../identity/viewer.ts';
import type { MeasuredRequest } from './kind.ts';
import type { RunRecord } from './run-record.ts';

type Counted = (typeof LIMITS)[LimitName]['counts'];

/** What is left of one limit. */
export interface LimitState {
  readonly scope: 'CALLER' | 'WORKSPACE';
  readonly name: LimitName;
  readonly limit: number;
  readonly remaining: number;
}

/** The error for a run that one of its limits has refused. */
export class LimitRefusal extends GatewayError {
  readonly scope: LimitState['scope'];
  readonly limit: LimitName;

  constructor(
    { scope, name }: Pick<LimitState, 'scope' | 'name'>,
    message: string,
    details: GatewayErrorDetails,
  ) {
    super('RATE_LIMITED', message, details);
    this.scope = scope;
    this.limit = name;
  }
}

interface NamedWant extends LimitWant {
  readonly scope: LimitState['scope'];
  readonly name: LimitName;
}

/** The amounts that a run has taken of its limits, until it is settled. */
export interface TakenLimits {
  readonly states: readonly LimitState[];
  /** Corrects what was taken to what was used. */
  settle(run: RunRecord): void;
  /** Gives back all of it: the run was not begun. */
  giveBack(): void;
}

/** What a run asks of a limit before it begins, by what the limit counts. */
const ASKED: Readonly<Record<Counted, (measured: MeasuredRequest) => number>> = {
  requests: () => 1,
  // The input, and the output that the caller bounds itself; what else comes is counted when it is known.
  tokens: ({ inputTokensHeld, outputTokensAsked }) => inputTokensHeld + outputTokensAsked,
};
/** What it has used in the end, where that differs from what it asked for. */
const USED: Readonly<Partial<Record<Counted, (run: RunRecord) => number>>> = { tokens: tokensMade };

export class RunLimits {
  readonly #limiter: Limiter;

  constructor(limiter: Limiter) {
    this.#limiter = limiter;
  }

  /** The amounts that were taken, or the error that refuses the run; `undefined` if no limit applies. Synchronous if the limiter is. */
  take(
    runId: string,
    viewer: Viewer,
    measured: MeasuredRequest,
  ): undefined | TakenLimits | GatewayError | Promise<TakenLimits | GatewayError> {
    const wants = wantsOf(viewer, measured);
    if (wants.length === 0) return undefined;
    const answer = this.#limiter.take(runId, wants);
    return answer instanceof Promise
      ? answer.then((told) => this.#read(runId, wants, told))
      : this.#read(runId, wants, answer);
  }

  #read(runId: string, wants: readonly NamedWant[], answer: LimitAnswer): TakenLimits | GatewayError {
    const states = wants.map(({ scope, name, limit }, index) => {
      return { scope, name, limit, remaining: answer.remaining[index] ?? 0 };
    });
    if (answer.refused !== null) return refusal(wants[answer.refused] as NamedWant, answer, states);
    return {
      states,
      settle: (run) =>
        this.#limiter.settle(
          runId,
          wants.map((want) => ({ ...want, used: usedOf(want, run) })),
        ),
      giveBack: () =>
        this.#limiter.settle(
          runId,
          wants.map((want) => ({ ...want, used: 0 })),
        ),
    };
  }
}

function wantsOf(viewer: Viewer, measured: MeasuredRequest): NamedWant[] {
  const wants: NamedWant[] = [];
  const add = (scope: LimitState['scope'], who: string, limits: CallLimits) => {
    for (const name of LIMIT_NAMES) {
      const limit = limits[name];
      if (limit === undefined) continue;
      const key = `${viewer.workspaceId}:${who}:${name}`;
      wants.push({
        key,
        scope,
        name,
        windowMs: LIMITS[name].windowMs,
        limit,
        amount: ASKED[LIMITS[name].counts](measured),
      });
    }
  };
  add('CALLER', viewer.caller, viewer.limits);
  add('WORKSPACE', '', viewer.workspaceLimits);
  return wants;
}

function usedOf({ name, amount }: NamedWant, run: RunRecord): number {
  return USED[LIMITS[name].counts]?.(run) ?? amount;
}

/** All tokens that providers produced for the caller, including those of absorbed attempts, which are not charged. */
export function tokensMade({ usage, attempts = [] }: Pick<RunRecord, 'usage' | 'attempts'>): number {
  if (attempts.length === 0) return totalTokens(usage);
  return attempts.reduce((sum, attempt) => sum + totalTokens(attempt.usage), 0);
}

function refusal(want: NamedWant, answer: LimitAnswer, states: readonly LimitState[]): LimitRefusal {
  const whose = want.scope === 'CALLER' ? 'Your key' : 'Your workspace';
  const message =
    want.amount > want.limit
      ? `${whose} may use ${want.limit} ${LIMITS[want.name].words}; this completion alone may take ${want.amount}. Ask for fewer "maxTokens"`
      : `${whose} may use ${want.limit} ${LIMITS[want.name].words}, and they are used up; wait and ask again`;
  return new LimitRefusal(want, message, {
    ...(answer.retryAfterMs > 0 ? { retryAfterMs: answer.retryAfterMs } : { retryAfterMs: RETRY_UNKNOWN_MS }),
    extensions: { rateLimit: states, limit: want.name },
  });
}

/** Told if a run would have to end first, since it is not known when that will be. */
const RETRY_UNKNOWN_MS = 1_000;
