// Owns when each API key was last used: kept in memory and written at intervals, so that using a key costs no query.
import type { Logger } from '../../kernel/logger.ts';
import type { IdentityRepository } from '../../storage/repositories/identity.repository.ts';

const WRITE_EVERY_MS = 10_000;

export class KeyUses {
  readonly #repository: IdentityRepository;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  #unwritten = new Map<string, number>();

  constructor(repository: IdentityRepository, logger: Logger) {
    this.#repository = repository;
    this.#logger = logger;
    this.#timer = setInterval(() => void this.write(), WRITE_EVERY_MS);
    this.#timer.unref();
  }

  used(keyId: string, atMs: number): void {
    this.#unwritten.set(keyId, atMs);
  }

  /** Writes the gathered uses. Those that could not be written are tried again with the next ones. */
  async write(): Promise<void> {
    if (this.#unwritten.size === 0) return;
    const uses = this.#unwritten;
    this.#unwritten = new Map();
    try {
      await this.#repository.saveKeyUses([...uses].map(([id, atMs]) => ({ id, at: new Date(atMs) })));
    } catch (error) {
      this.#unwritten = new Map([...uses, ...this.#unwritten]);
      this.#logger.debug({ err: error }, 'The last uses of keys could not be written; trying again');
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }
}
