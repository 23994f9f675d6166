// Owns runs that may or may not have begun: the database's answer was lost and the caller was told of an error, so a run that did begin is withdrawn.
import type { Clock } from '../../kernel/clock.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import type { RunBegin, RunKey } from '../../storage/run-columns.ts';

type BegunRow = RunKey & Pick<RunBegin, 'id'>;

/** A statement that was under way may still commit within this time. */
const LATE_COMMIT_MS = 30_000;
/** The most runs that are remembered; the oldest beyond it are left to the keeper's search for rows that no node runs. */
const MAX_UNSURE = 5_000;

export class UnsureBegins {
  readonly #runs: RunRepository;
  readonly #nodeId: string;
  readonly #clock: Clock;
  readonly #rows = new Map<string, { readonly row: BegunRow; readonly untilMs: number }>();

  constructor(needs: { readonly runs: RunRepository; readonly nodeId: string; readonly clock: Clock }) {
    this.#runs = needs.runs;
    this.#nodeId = needs.nodeId;
    this.#clock = needs.clock;
  }

  add({ id, workspaceId, caller, idempotencyKey }: BegunRow): void {
    const [oldest] = this.#rows.keys();
    if (oldest !== undefined && this.#rows.size >= MAX_UNSURE) this.#rows.delete(oldest);
    const untilMs = this.#clock.monotonicMs() + LATE_COMMIT_MS;
    this.#rows.set(id, { row: { id, workspaceId, caller, idempotencyKey }, untilMs });
  }

  /** Withdraws the runs that did begin, so that their holds and idempotency keys are free again. */
  async withdraw(): Promise<void> {
    if (this.#rows.size === 0) return;
    const begun = await this.#runs.ownedBy(this.#nodeId, [...this.#rows.keys()]);
    const now = this.#clock.monotonicMs();
    for (const [id, { row, untilMs }] of this.#rows) {
      if (begun.has(id)) await this.#runs.withdraw(row);
      if (begun.has(id) || untilMs < now) this.#rows.delete(id);
    }
  }
}
