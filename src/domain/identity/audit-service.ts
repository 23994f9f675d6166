// Owns who may read the audit trail: administrators of a workspace read its part, administrators of the installation all of it.
import { InputCheck } from '../../kernel/input-check.ts';
import type {
  AuditEventRow,
  AuditFilter,
  AuditPage,
  AuditRepository,
} from '../../storage/repositories/audit.repository.ts';
import { requireScope, type Viewer } from './viewer.ts';

export type { AuditEventRow };
export type AuditQuery = Omit<AuditFilter, 'workspaceId'>;

export class AuditService {
  readonly #repository: AuditRepository;

  constructor(repository: AuditRepository) {
    this.#repository = repository;
  }

  /** Newest first. */
  async list(viewer: Viewer, query: AuditQuery, page: AuditPage): Promise<AuditEventRow[]> {
    return this.#repository.list(this.#filter(viewer, query), page);
  }

  async count(viewer: Viewer, query: AuditQuery): Promise<number> {
    return this.#repository.count(this.#filter(viewer, query));
  }

  #filter(viewer: Viewer, query: AuditQuery): AuditFilter {
    requireScope(viewer, 'admin');
    const check = new InputCheck();
    check.filter('filter', query);
    check.raise();
    return viewer.installationAdmin ? query : { ...query, workspaceId: viewer.workspaceId };
  }
}
