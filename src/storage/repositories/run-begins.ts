// Owns how runs begin: gathered into groups, each committed at once, with holds and idempotency keys decided on inside.
import type { Batcher } from '../../kernel/batcher.ts';
import { StorageError } from '../../kernel/errors.ts';
import type { Telemetry } from '../../kernel/telemetry.ts';
import { createGroupedWriter } from '../grouped-writer.ts';
import type { SqlClient } from '../sql.ts';
import type { RunBegin, RunBegun } from './run.rows.ts';
import { BEGIN, BEGIN_PLAIN, KNOWN_KEYS, WITHDRAW } from './run.statements.ts';

type KeyColumns = Pick<RunBegin, 'workspace_id' | 'caller' | 'idempotency_key'>;

/** A run to begin, or (`joinOnly`) only to look for the one that its key names. */
interface Ask {
  readonly run: RunBegin;
  readonly joinOnly: boolean;
  /** One text for what an idempotency key is unique in; empty without a key. */
  readonly key: string;
}

interface KnownKey extends KeyColumns {
  readonly run_id: string;
  readonly input_hash: string;
}

/** A key that is taken when a group is written, and free when it is looked up, was given back in between: the run is written again. */
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

  /** `joinOnly`: `undefined` where the key names no run; every run that was to begin before is taken into account. */
  ask(run: RunBegin, joinOnly: boolean, gone: AbortSignal | undefined): Promise<RunBegun | undefined> {
    return this.#asks.add({ run, joinOnly, key: keyOf(run) }, gone);
  }

  async withdraw(run: KeyColumns & Pick<RunBegin, 'id'>): Promise<void> {
    await this.#sql.query(WITHDRAW, [run.id, run.workspace_id, run.caller, run.idempotency_key]);
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

  /** Row by row, inside one function of the database. */
  async #decide(begins: readonly Ask[], answers: Map<Ask, RunBegun>): Promise<void> {
    const runs = begins.map(({ run }) => run);
    const rows = await this.#sql.query<Omit<RunBegun, 'runId'> & { run_id: string }>(BEGIN, [
      JSON.stringify(runs.map(toDecision)),
      JSON.stringify(runs),
    ]);
    for (const [index, { outcome, run_id, refusal }] of rows.entries()) {
      answers.set(begins[index] as Ask, { outcome, runId: run_id, refusal });
    }
  }

  async #writePlain(begins: readonly Ask[], answers: Map<Ask, RunBegun>): Promise<void> {
    let open = begins;
    for (let write = 0; open.length > 0; write += 1) {
      if (write === MAX_WRITES) {
        throw new StorageError('unavailable', 'An idempotency key is taken and given back all the time');
      }
      const rows = await this.#sql.query<{ id: string }>(BEGIN_PLAIN, [
        JSON.stringify(open.map(({ run }) => run)),
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

  /** Answers those whose key names a run. */
  async #lookUp(asks: readonly Ask[], answers: Map<Ask, RunBegun>): Promise<void> {
    if (asks.length === 0) return;
    const rows = await this.#sql.query<KnownKey>(KNOWN_KEYS, [
      asks.map(({ run }) => run.workspace_id),
      asks.map(({ run }) => run.caller),
      asks.map(({ run }) => run.idempotency_key),
    ]);
    const known = new Map(rows.map((row) => [keyOf(row), row]));
    for (const ask of asks) {
      const row = known.get(ask.key);
      if (!row) continue;
      const outcome = row.input_hash === ask.run.input_hash ? 'joined' : 'conflict';
      answers.set(ask, { outcome, runId: row.run_id, refusal: null });
    }
  }

  /** A row whose caller has been refused meanwhile would stay RUNNING, with its hold, without a node that runs it. */
  async #undo({ run }: Ask, answer: RunBegun | undefined): Promise<void> {
    // Where this fails too, the keeper ends the row later.
    if (answer?.outcome === 'begun') await this.withdraw(run).catch(() => {});
  }
}

function keyOf({ workspace_id, caller, idempotency_key }: KeyColumns): string {
  return idempotency_key === null ? '' : JSON.stringify([workspace_id, caller, idempotency_key]);
}

/** Every node locks the rows of keys in the same order, so that two nodes with the same keys never wait for each other. */
function byKey({ key: one }: Ask, { key: other }: Ask): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Whether there is a hold, or a key that comes twice (the asks are in order of their keys). */
function needsDecision(asks: readonly Ask[]): boolean {
  return asks.some(
    ({ run, key }, index) => run.hold_nano !== undefined || (key !== '' && asks[index - 1]?.key === key),
  );
}

/** What is decided on, without what is only stored. */
function toDecision(run: RunBegin) {
  const { id, workspace_id, caller, idempotency_key, input_hash, hold_nano, on_account, budget_ids } = run;
  return { id, workspace_id, caller, idempotency_key, input_hash, hold_nano, on_account, budget_ids };
}
