// Owns the reading of the audit trail; triggers write it.
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import { AuditEventEntity } from '../entities/audit-event.entity.ts';
import { toStorageError } from '../errors.ts';

export type AuditEventRow = Readonly<AuditEventEntity>;

export interface AuditFilter {
  /** Absent: the events of the whole installation. */
  readonly workspaceId?: string;
  readonly actor?: string;
  readonly action?: string;
  readonly objectType?: string;
  readonly objectId?: string;
}

export interface AuditPage {
  readonly limit: number;
  readonly backward: boolean;
  readonly beyondId?: string;
}

export class AuditRepository {
  readonly #entities: () => SqlEntityManager;

  constructor(storage: { readonly entities: () => SqlEntityManager }) {
    this.#entities = storage.entities;
  }

  /** Newest first. It reads one row more than `limit`, which shows whether there is a further page. */
  async list(filter: AuditFilter, { limit, backward, beyondId }: AuditPage): Promise<AuditEventRow[]> {
    const beyond = beyondId === undefined ? {} : { id: backward ? { $gt: beyondId } : { $lt: beyondId } };
    try {
      return await this.#entities().find(
        AuditEventEntity,
        { ...filter, ...beyond },
        { orderBy: { id: backward ? 'asc' : 'desc' }, limit: limit + 1 },
      );
    } catch (error) {
      throw toStorageError(error);
    }
  }

  async count(filter: AuditFilter): Promise<number> {
    try {
      return await this.#entities().count(AuditEventEntity, { ...filter });
    } catch (error) {
      throw toStorageError(error);
    }
  }
}
