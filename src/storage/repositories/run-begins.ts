// Owns how runs begin: they are gathered into groups, each committed as one, which also decides on holds and idempotency keys.
import type { Batcher } from '../../kernel/batcher.ts';
import { StorageError } from '../../kernel/errors.ts';
import type { Telemetry } from '../../kernel/telemetry.ts';
import { rowMapper } from '../columns.ts';
import { createGroupedWriter } from '../grouped-writer.ts';
import {
  BEGIN_COLUMNS,
  DECISION_COLUMNS,
  KEYED_BEGIN_COLUMNS,
  type RunBegin,
  type RunKey,
} from '../run-columns.ts';
import type { SqlClient } from '../sql.ts';
import type { RunBegun } from './run.rows.ts';
import { BEGIN, BEGIN_PLAIN, KNOWN_KEYS, WITHDRAW } from './run.statements.ts';

/** A run to begin; or, with `joinOnly`, a search for the run that its key names. */
interface Ask {
  readonly run: RunBegin;
  readonly joinOnly: boolean;
  /** A text that names what an idempotency key is unique in; empty without a key. */
  readonly key: string;
}

interface KnownKey {
  readonly workspace_id: string;
  readonly caller: string;
  readonly key: string;
  readonly run_id: string;
  readonly input_hash: string;
}

const toRow = rowMapper<RunBegin>(BEGIN_COLUMNS);
const toKeyedRow = rowMapper<RunBegin>(KEYED_BEGIN_COLUMNS);
const toDecision = rowMapper<RunBegin>(DECISION_COLUMNS);

/** If a key is in use when a group is written and free when it is looked up, it was given back in between, and the run is written again; at most this often. */
const MAX_WRITES = 5;

export class RunBegins {
  readonly #sql: SqlClient;
  readonly #asks: Batcher<Ask, RunBegun | undefined>;

  constructor(sql: SqlClient, withinMs: number, telemetry: Telemetry) {
    this.#sql = sql;
    this.#asks = createGroupedWriter('begins', telemetry, (asks) => this.#answer(asks), {
      afterMs: withinMs,
      refusal: () => new StorageError('unavailable', 'The database did not answer in time'),
      undo: (ask, answer) => this.#undo(ask, answer),
    });
  }

  /** `joinOnly`: `undefined` if the key names no run. Runs that were to begin before are considered too. */
  ask(run: RunBegin, joinOnly: boolean, gone: AbortSignal | undefined): Promise<RunBegun | undefined> {
    return this.#asks.add({ run, joinOnly, key: keyOf(run) }, gone);
  }

  async withdraw(run: RunKey & Pick<RunBegin, 'id'>): Promise<void> {
    await this.#sql.query(WITHDRAW, [run.id, run.workspaceId, run.caller, run.idempotencyKey]);
  }

  async #answer(asks: readonly Ask[]): Promise<(RunBegun | undefined)[]> {
    const answers = new Map<Ask, RunBegun>();
    const begins = asks.filter(({ joinOnly }) => !joinOnly).sort(byKey);
    if (needsDecision(begins)) await this.#decide(begins, answers);
    else await this.#writePlain(begins, answers);
    await this.#lookUp(
      asks.filter(({ joinOnly }) => joinOnly),
      answers,
    );
    return asks.map((ask) => answers.get(ask));
  }

  /** One function of the database decides on the rows one by one. */
  async #decide(begins: readonly Ask[], answers: Map<Ask, RunBegun>): Promise<void> {
    const runs = begins.map(({ run }) => run);
    const rows = await this.#sql.query<Omit<RunBegun, 'runId'> & { run_id: string }>(BEGIN, [
      JSON.stringify(runs.map(toDecision)),
      JSON.stringify(runs.map(toRow)),
    ]);
    for (const [index, { outcome, run_id, refusal }] of rows.entries()) {
      answers.set(begins[index] as Ask, { outcome, runId: run_id, refusal });
    }
  }

  async #writePlain(begins: readonly Ask[], answers: Map<Ask, RunBegun>): Promise<void> {
    let open = begins;
    for (let write = 0; open.length > 0; write += 1) {
      if (write === MAX_WRITES) {
        throw new StorageError(
          'unavailable',
          'The idempotency key was in use and was freed again at every try',
        );
      }
      const rows = await this.#sql.query<{ id: string }>(BEGIN_PLAIN, [
        JSON.stringify(open.map(({ run }) => toKeyedRow(run))),
      ]);
      const begun = new Set(rows.map(({ id }) => id));
      for (const ask of open) {
        if (begun.has(ask.run.id)) answers.set(ask, { outcome: 'begun', runId: ask.run.id, refusal: null });
      }
      open = open.filter((ask) => !answers.has(ask));
      await this.#lookUp(open, answers);
      open = open.filter((ask) => !answers.has(ask));
    }
  }

  /** Answers the requests whose key names a run. */
  async #lookUp(asks: readonly Ask[], answers: Map<Ask, RunBegun>): Promise<void> {
    if (asks.length === 0) return;
    const rows = await this.#sql.query<KnownKey>(KNOWN_KEYS, [
      asks.map(({ run }) => run.workspaceId),
      asks.map(({ run }) => run.caller),
      asks.map(({ run }) => run.idempotencyKey),
    ]);
    const known = new Map(rows.map((row) => [keyText(row.workspace_id, row.caller, row.key), row]));
    for (const ask of asks) {
      const row = known.get(ask.key);
      if (!row) continue;
      const outcome = row.input_hash === ask.run.inputHash ? 'joined' : 'conflict';
      answers.set(ask, { outcome, runId: row.run_id, refusal: null });
    }
  }

  /** If its caller was refused in the meantime, the row would stay RUNNING, with its hold, while no node runs it. */
  async #undo({ run }: Ask, answer: RunBegun | undefined): Promise<void> {
    // If this fails too, the keeper ends the row later.
    if (answer?.outcome === 'begun') await this.withdraw(run).catch(() => {});
  }
}

function keyOf({ workspaceId, caller, idempotencyKey }: RunKey): string {
  return idempotencyKey === null ? '' : keyText(workspaceId, caller, idempotencyKey);
}

function keyText(workspaceId: string, caller: string, key: string): string {
  return JSON.stringify([workspaceId, caller, key]);
}

/** Every node locks the rows of keys in the same order, so that two nodes with the same keys never wait for each other. */
function byKey({ key: one }: Ask, { key: other }: Ask): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** True if there is a hold, or a key that occurs twice (the requests are in the order of their keys). */
function needsDecision(asks: readonly Ask[]): boolean {
  return asks.some(
    ({ run, key }, index) => run.holdNano !== undefined || (key !== '' && asks[index - 1]?.key === key),
  );
}
