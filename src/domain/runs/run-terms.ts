// Owns the facts that a run is begun with and keeps to its end, whatever changes in the catalogue.
import type { TraceContext } from '../../kernel/trace-context.ts';
import type { WorkspaceCatalogue } from '../catalogue/snapshot.ts';
import type { Route } from '../routing/planner.ts';
import type { Kind, MeasuredRequest } from './kind.ts';
import type { RunFunds } from './run-funds.ts';
import type { RunRequest } from './run-request.ts';

export interface RunTerms {
  readonly id: string;
  readonly kind: Kind;
  readonly workspaceId: string;
  readonly caller: string;
  readonly requestId: string | null;
  /** The trace context of the caller's request, if it has one. */
  readonly trace?: TraceContext | undefined;
  readonly request: RunRequest;
  readonly measured: MeasuredRequest;
  readonly route: Route;
  /** The price versions of the snapshot that the run began with. */
  readonly prices: WorkspaceCatalogue['prices'];
  readonly policy: RunPolicy;
  /** Absent if no money is held for the run. */
  readonly funds?: RunFunds;
  readonly createdAt: Date;
}

/** How much the run does to hide faults from its caller. */
export interface RunPolicy {
  /** The most calls of the whole run. */
  readonly maxAttempts: number;
  /** The most calls of one instance, if the caller sets it; otherwise the instance, its config or the default decides. */
  readonly maxAttemptsPerInstance: number | undefined;
  readonly defaultAttemptsPerInstance: number;
  /** How long, in milliseconds, a provider may make the caller wait. */
  readonly patienceMs: number;
  /** Time limit of the whole run in milliseconds, attempts and waits together. */
  readonly totalMs: number | undefined;
  /** `COMPLETE`: no content is shown until the answer is whole. */
  readonly commit: 'FIRST_TOKEN' | 'COMPLETE';
  readonly onStreamFault: 'RESTART' | 'FAIL';
}
