// Owns what a migration is: statements that make tables, indexes and triggers. Functions are no part of it (`src/storage/functions`).

export interface Migration {
  /** Its file's name; noted in the table `migration` once it was applied. */
  readonly name: string;
  readonly statements: readonly string[];
}
