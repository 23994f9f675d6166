// Owns what each fault of a provider means for a run: one table, so that a new code does not compile until every column is decided for it.
import type { ProviderError, ProviderErrorCode } from '../../kernel/errors.ts';

/** Other candidates that would fail for the same reason: those of the same config, those of the same config and model, or those with no larger context. */
export type RuledOut = 'CONFIG' | 'MODEL' | 'SMALLER_CONTEXT';

export interface FaultMeaning {
  /** Whether the same instance may succeed a little later: always; if the fault itself says so; or only if the provider answered 408. */
  readonly passes: 'ALWAYS' | 'IF_TRANSIENT' | 'IF_REQUEST_TIMEOUT';
  /** A fault that does not pass ends the run: every other instance would refuse the same request. */
  readonly final: boolean;
  /** Which other candidates a fault that does not pass rules out. */
  readonly rulesOut: RuledOut | undefined;
  /** True if the fault counts against the provider's health, so that its circuit may open. */
  readonly ailing: boolean;
  /** When all attempts have failed, the caller gets the fault with the highest number; among equals, the first. */
  readonly telling: 0 | 1 | 2;
}

export const FAULT_MEANINGS: Readonly<Record<ProviderErrorCode, FaultMeaning>> = {
  PROVIDER_AUTHENTICATION: {
    passes: 'IF_TRANSIENT',
    final: false,
    rulesOut: 'CONFIG',
    ailing: false,
    telling: 1,
  },
  // A limit that does not pass by itself is a used-up quota. The quota belongs to the account, so every model of the config is ruled out.
  PROVIDER_RATE_LIMITED: {
    passes: 'IF_TRANSIENT',
    final: false,
    rulesOut: 'CONFIG',
    ailing: false,
    telling: 1,
  },
  // A provider that stayed silent is not asked again; one that answered 408 gave up waiting for the request and has not begun.
  PROVIDER_TIMEOUT: {
    passes: 'IF_REQUEST_TIMEOUT',
    final: false,
    rulesOut: undefined,
    ailing: true,
    telling: 1,
  },
  // Some refusals pass by themselves, as a tool call that the model wrote wrongly.
  PROVIDER_INVALID_REQUEST: {
    passes: 'IF_TRANSIENT',
    final: true,
    rulesOut: undefined,
    ailing: false,
    telling: 1,
  },
  // The caller has to know that the content was refused, whatever failed before.
  PROVIDER_CONTENT_FILTERED: {
    passes: 'IF_TRANSIENT',
    final: true,
    rulesOut: undefined,
    ailing: false,
    telling: 2,
  },
  PROVIDER_UNAVAILABLE: {
    passes: 'IF_TRANSIENT',
    final: false,
    rulesOut: undefined,
    ailing: true,
    telling: 1,
  },
  PROVIDER_PROTOCOL: { passes: 'ALWAYS', final: false, rulesOut: undefined, ailing: true, telling: 1 },
  CONTEXT_LENGTH_EXCEEDED: {
    passes: 'IF_TRANSIENT',
    final: false,
    rulesOut: 'SMALLER_CONTEXT',
    ailing: false,
    telling: 1,
  },
  // Faults of the configuration tell the caller little about its own request.
  MODEL_UNAVAILABLE: { passes: 'IF_TRANSIENT', final: false, rulesOut: 'MODEL', ailing: false, telling: 0 },
  CAPABILITY_MISSING: { passes: 'IF_TRANSIENT', final: false, rulesOut: 'MODEL', ailing: false, telling: 0 },
  CANCELLED: { passes: 'IF_TRANSIENT', final: true, rulesOut: undefined, ailing: false, telling: 1 },
};

const REQUEST_TIMEOUT = 408;

/** Whether the same request may succeed at the same instance a little later. */
export function mayPass({ code, transient, status }: ProviderError): boolean {
  switch (FAULT_MEANINGS[code].passes) {
    case 'ALWAYS':
      return true;
    case 'IF_TRANSIENT':
      return transient;
    case 'IF_REQUEST_TIMEOUT':
      return status === REQUEST_TIMEOUT;
  }
}

/** True if no other instance could succeed, so that the run ends. */
export function isFinal(error: ProviderError): boolean {
  return FAULT_MEANINGS[error.code].final && !mayPass(error);
}

export function ruledOutBy(error: ProviderError): RuledOut | undefined {
  return mayPass(error) ? undefined : FAULT_MEANINGS[error.code].rulesOut;
}

/** True if the caller should be told of `error` instead of the earlier fault `before`. */
export function isMoreTelling(error: ProviderError, before: ProviderError | undefined): boolean {
  return !before || FAULT_MEANINGS[error.code].telling > FAULT_MEANINGS[before.code].telling;
}
