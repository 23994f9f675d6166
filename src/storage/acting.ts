// Owns which actor the audit trail names: a setting of the transaction, which the triggers read.
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { GatewayError } from '../kernel/errors.ts';
import { toStorageError } from './errors.ts';

/** A viewer, or the gateway itself if there is none. */
export interface Actor {
  readonly caller: string;
  readonly workspaceId: string;
}

const ACT_AS = "select set_config('modelgraph.actor', ?, true), set_config('modelgraph.workspace', ?, true)";

/** Runs `work` in one transaction, in the name of the actor. Raises `StorageError`; a `GatewayError` that `work` raises is passed on. */
export async function writeAs<Result>(
  entities: SqlEntityManager,
  actor: Actor | undefined,
  work: (entities: SqlEntityManager) => Promise<Result>,
): Promise<Result> {
  try {
    if (!actor) return await work(entities);
    return await entities.transactional(async (transaction) => {
      await transaction.execute(ACT_AS, [actor.caller, actor.workspaceId]);
      return work(transaction as SqlEntityManager);
    });
  } catch (error) {
    // A refusal by `work` itself is passed on to the caller unchanged.
    if (error instanceof GatewayError) throw error;
    throw toStorageError(error);
  }
}
