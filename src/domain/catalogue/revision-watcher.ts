// Owns freshness: it looks at the revision row twice a second and tells which tables have changed, so that a change by plain SQL counts too.
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

  /** Loads everything, then keeps looking. Rejects if the first load fails. */
  async start(): Promise<void> {
    await this.refresh();
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
  }

  /** Takes in what has been committed until now; what this node itself has written is in force when it resolves. */
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

  /** A database that does not answer leaves the last snapshot in force; it is logged once until it answers again. */
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
