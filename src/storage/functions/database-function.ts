// Owns the description of a database function: its present text, and a number that grows with each change of it.

/**
 * The functions that look up single runs or holds are created with `enable_seqscan = off`. These tables change faster than their statistics: a plan made
 * while a table was empty would otherwise go on to read all of it when it is large.
 */
export interface DatabaseFunction {
  /** The name in the database. One name has one signature. */
  readonly name: string;
  /** Grows by one with each change of the text: only a higher version replaces what a database has. */
  readonly version: number;
  /** True for a function that triggers call; it is created before the migrations, whose triggers need it. */
  readonly isTrigger?: true;
  /** One `create or replace function`. */
  readonly text: string;
}
