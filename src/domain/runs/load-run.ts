// Owns reading one run with its attempts from the database.
import { GatewayError } from '../../kernel/errors.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import type { Kinds } from './kinds.ts';
import type { RunRecord } from './run-record.ts';
import { toRunAttempt, toRunRecord } from './stored-run.ts';

/** Raises `NOT_FOUND` if there is no such run. */
export async function loadRun(runs: RunRepository, kinds: Kinds, runId: string): Promise<RunRecord> {
  const [row] = await runs.byIds([runId]);
  if (!row) throw runNotFound();
  const attempts = await runs.attemptsOf([runId]);
  return { ...toRunRecord(row, kinds), attempts: attempts.map(toRunAttempt) };
}

export function runNotFound(): GatewayError {
  return new GatewayError('NOT_FOUND', 'There is no such completion');
}
