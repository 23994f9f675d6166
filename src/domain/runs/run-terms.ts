// Owns what a run is begun with and goes by until its end, whatever changes meanwhile.
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
  readonly request: RunRequest;
  readonly measured: MeasuredRequest;
  readonly route: Route;
  /** The price versions of the snapshot that the run began with. */
  readonly prices: WorkspaceCatalogue['prices'];
  readonly policy: RunPolicy;
  /** Absent where nothing is held for it. */
  readonly funds?: RunFunds;
  readonly createdAt: Date;
}

/** How far the run goes to hide faults. */
export interface RunPolicy {
  /** Calls in all. */
  readonly maxAttempts: number;
  /** Calls of one instance, where the caller bounds them; otherwise the instance, its config or the default does. */
  readonly maxAttemptsPerInstance: number | undefined;
  readonly defaultAttemptsPerInstance: number;
  /** How long a provider may make the caller wait. */
  readonly patienceMs: number;
  /** Bound on the whole run, attempts and waits together. */
  readonly totalMs: number | undefined;
  /** `COMPLETE` shows nothing until the answer is whole. */
  readonly commit: 'FIRST_TOKEN' | 'COMPLETE';
  readonly onStreamFault: 'RESTART' | 'FAIL';
}
