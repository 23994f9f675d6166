// Owns one attempt: a call of one candidate under its time limits, and how it ended. It never throws.
import type { Clock } from '../../kernel/clock.ts';
import { ProviderError } from '../../kernel/errors.ts';
import type { CallSign } from '../../providers/contract/target.ts';
import type { Answer, PreparedCall } from './kind.ts';
import { type AttemptLimits, TimeGuard } from './time-guard.ts';

export interface AttemptResult {
  readonly answer: Answer;
  /** `undefined` if the attempt succeeded. */
  readonly error: ProviderError | undefined;
  /** True if the run was stopped during the attempt, even if another fault came too. */
  readonly stopped: boolean;
  readonly startedAt: Date;
  readonly firstTokenMs: number | null;
  readonly durationMs: number;
}

export interface AttemptInput {
  readonly call: Pick<PreparedCall<unknown>, 'stream'>;
  readonly limits: AttemptLimits;
  readonly clock: Clock;
  /** Aborted when the run is stopped. */
  readonly stop: AbortSignal;
  /** True if no content is shown before the answer is whole. */
  readonly wholeSuffices: boolean;
  /** Shared with the caller of this function, which may read it while the attempt runs. */
  readonly answer: Answer;
  /** Called for each read, from the first content on. */
  readonly onParts: (parts: readonly unknown[]) => void;
}

export async function runAttempt(input: AttemptInput): Promise<AttemptResult> {
  const { call, answer, clock, stop } = input;
  const startedAt = clock.now();
  const startedMs = clock.monotonicMs();
  const controller = new AbortController();
  const onStop = () => controller.abort(stop.reason);
  if (stop.aborted) onStop();
  else stop.addEventListener('abort', onStop, { once: true });
  const guard = new TimeGuard(clock, input.limits, (reason) => controller.abort(reason));
  let firstTokenMs: number | null = null;
  let error: ProviderError | undefined;
  try {
    const options = {
      signal: controller.signal,
      wholeSuffices: input.wholeSuffices,
      onSign: (sign: CallSign) => guard.signCame(sign),
    };
    for await (const given of call.stream(options)) {
      const { parts, hasContent } = answer.take(given);
      if (hasContent) {
        const now = clock.monotonicMs();
        guard.contentArrived(now);
        firstTokenMs ??= Math.round(now - startedMs);
      }
      if (firstTokenMs !== null) input.onParts(parts);
      if (answer.isFull) break;
    }
    answer.requireWhole();
  } catch (fault) {
    error = toProviderError(fault, controller.signal);
  } finally {
    guard.close();
    stop.removeEventListener('abort', onStop);
  }
  return {
    answer,
    error,
    stopped: stop.aborted && error !== undefined,
    startedAt,
    firstTokenMs,
    durationMs: Math.round(clock.monotonicMs() - startedMs),
  };
}

/** If this code aborted the request itself, the fault is reported as the reason for the abort. */
function toProviderError(fault: unknown, signal: AbortSignal): ProviderError {
  if (signal.aborted && signal.reason instanceof ProviderError) return signal.reason;
  if (fault instanceof ProviderError) return fault;
  if (signal.aborted) return new ProviderError('CANCELLED', 'The run was stopped', { cause: fault });
  const message = fault instanceof Error ? fault.message : String(fault);
  return new ProviderError('PROVIDER_PROTOCOL', `The adapter failed: ${message}`, { cause: fault });
}
