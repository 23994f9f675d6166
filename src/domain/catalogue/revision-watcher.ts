// Owns how fresh snapshots are: it reads the revision row twice a second and tells which tables have changed, so that a change by plain SQL is noticed too.
import { Mutex } from '../../kernel/async.ts';
import type { Logger } from '../../kernel/logger.ts';
import {
  type Revision,
  SNAPSHOT_TABLES,
  type SnapshotRepository,
  type SnapshotTable,
} from '../../storage/repositories/snapshot.repository.ts';

const LOOK_EVERY_MS = 500;

export type ReloadTables = (changed: ReadonlySet<SnapshotTable>) => Promise<void>;

export class RevisionWatcher {
  readonly #repository: SnapshotRepository;
  readonly #reload: readonly ReloadTables[];
  readonly #logger: Logger;
  readonly #looking = new Mutex();
  #seen: Partial<Revision> = {};
  #timer: NodeJS.Timeout | undefined;
  #failing = false;

  constructor(repository: SnapshotRepository, reload: readonly ReloadTables[], logger: Logger) {
    this.#repository = repository;
    this.#reload = reload;
    this.#logger = logger;
  }

  /** Loads everything, then goes on looking for changes. Rejects if the first load fails. */
  async start(): Promise<void> {
    await this.refresh();
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
  }

  /** Loads what has been committed up to now; when it resolves, this node's own writes are in force. */
  refresh(): Promise<void> {
    return this.#looking.run(async () => {
      const revision = await this.#repository.revision();
      const changed = new Set(SNAPSHOT_TABLES.filter((table) => revision[table] !== this.#seen[table]));
      if (changed.size === 0) return;
      for (const reload of this.#reload) await reload(changed);
      this.#seen = revision;
    });
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** If the database does not answer, the last snapshot stays in force; this is logged once until it answers again. */
  async #look(): Promise<void> {
    try {
      await this.refresh();
      this.#failing = false;
    } catch (error) {
      if (!this.#failing)
        this.#logger.warn(
          { err: error },
          'The catalogue could not be refreshed; the last one stays in force',
        );
      this.#failing = true;
    }
  }
}
