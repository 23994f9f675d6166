// Owns what a function of the database is to the gateway: its present text, and a number that grows with each change of it.

/**
 * The functions that look for single runs or holds are created with `enable_seqscan = off`: these tables change faster than their statistics, and a
 * plan made while a table was empty must not become a walk over all that has been in it since.
 */
export interface DatabaseFunction {
  /** As the database knows it. One name has one signature. */
  readonly name: string;
  /** Grows by one with each change of the text: only a higher version replaces what a database has. */
  readonly version: number;
  /** One that triggers call; it is created before the migrations, whose triggers need it. */
  readonly isTrigger?: true;
  /** One `create or replace function`. */
  readonly text: string;
}
