// Owns the care for sealed secrets: it checks that the key ring can open all of them, and seals them again with the ring's first key while the gateway runs.
import { StartError } from '../../kernel/errors.ts';
import type { SealedRow, SecretRepository } from '../../storage/repositories/secret.repository.ts';
import type { SecretVault, StoredSecret } from './secret-vault.ts';
import { requireInstallationAdmin, type Viewer } from './viewer.ts';

export interface RotationResult {
  /** Id of the key that secrets are sealed with from now on. */
  readonly keyId: string;
  readonly resealed: number;
}

export class SecretRotation {
  readonly #repository: SecretRepository;
  readonly #vault: SecretVault;
  readonly #refresh: () => Promise<void>;

  constructor(
    repository: SecretRepository,
    vault: SecretVault,
    refresh: () => Promise<void> = async () => {},
  ) {
    this.#repository = repository;
    this.#vault = vault;
    this.#refresh = refresh;
  }

  /** Raises `StartError` that names the keys that are missing from the ring, and those that have other bytes than before. */
  async requireKeys(): Promise<void> {
    const known = new Set(this.#vault.keyIds());
    const used = await this.#repository.sealingKeys();
    const missing = used.filter(({ key_id }) => !known.has(key_id)).map(({ key_id }) => key_id);
    if (missing.length > 0) {
      throw new StartError(
        `SECRET_KEYS: secrets in the database need the keys ${missing.join(', ')}, which are missing; the ring has ${[...known].join(', ')}. Add them behind the first, then run "npm run secrets:rotate"`,
      );
    }
    const wrong = used.filter((row) => !this.#opens(row)).map(({ key_id }) => key_id);
    if (wrong.length > 0) {
      throw new StartError(
        `SECRET_KEYS: the keys ${wrong.join(', ')} are not those that sealed the secrets in the database; give the right bytes`,
      );
    }
  }

  async rotate(viewer: Viewer, dryRun: boolean): Promise<RotationResult> {
    requireInstallationAdmin(viewer);
    return this.rotateAs(viewer.caller, dryRun);
  }

  /** Seals each secret by itself, so that after an interruption the next call does the rest. */
  async rotateAs(actor: string, dryRun = false): Promise<RotationResult> {
    const [keyId = ''] = this.#vault.keyIds();
    let resealed = 0;
    let beyondId: string | undefined;
    for (;;) {
      const rows = await this.#repository.sealedOtherwise(keyId, beyondId);
      for (const row of rows) {
        if (dryRun) {
          resealed += 1;
          continue;
        }
        const after = {
          secret: this.#reseal(row.secret, row.id),
          headers: this.#reseal(row.headers, row.id),
        };
        if (await this.#repository.reseal(row, after, actor)) resealed += 1;
      }
      beyondId = rows.at(-1)?.id;
      if (beyondId === undefined) break;
    }
    await this.#refresh();
    return { keyId, resealed };
  }

  #reseal<Stored extends StoredSecret | null>(stored: Stored, context: string): Stored {
    if (stored === null || 'env' in stored) return stored;
    const text = this.#vault.open(stored, context)?.reveal() ?? '';
    return this.#vault.seal(text, context) as Stored;
  }

  #opens({ id, secret, headers }: SealedRow): boolean {
    try {
      for (const stored of [secret, headers]) if (stored) this.#vault.open(stored, id);
      return true;
    } catch {
      return false;
    }
  }
}
