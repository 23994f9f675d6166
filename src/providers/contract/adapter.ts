// Owns the contract between the gateway and a wire protocol: an adapter says by its fields which kinds of call its protocol has.
import type { Clock } from '../../kernel/clock.ts';
import type { NewId } from '../../kernel/ids.ts';
import type { JsonObject } from '../../kernel/json.ts';
import type { TokenCache } from '../../kernel/token-cache.ts';
import type { Completions } from './completions.ts';
import type { Health } from './health.ts';
import type { UpstreamHttp } from './http.ts';
import type { Models } from './models.ts';

/**
 * One wire protocol. Stateless but for what it is constructed with (HTTP pools, a token cache). A capability that is absent is a kind of call
 * that the protocol does not have: the gateway then refuses, in words, to use its models for such calls.
 */
export interface Adapter {
  /** Protocol name, as in `ProviderSpec.protocol`: `a-z`, `0-9` and `-`. */
  readonly protocol: string;
  /** Its answers are made up, so it serves only requests that name it: it never stands in for a real model. */
  readonly simulated?: boolean;
  /** Answers conversations. */
  readonly completions?: Completions;
  /** Lists models. */
  readonly models?: Models;
  readonly health: Health;
  /** What is wrong with the quirks of a row, each with its place and what is known; absent: nothing is checked. Pure. */
  faultsOfQuirks?(quirks: JsonObject): readonly QuirksFault[];
}

/** An adapter whose protocol has completions. */
export interface CompletionAdapter extends Adapter {
  readonly completions: Completions;
}

/** What every adapter is made with, built in or further; each takes of it what its protocol needs. */
export interface AdapterDependencies {
  /** The only way out: pooled, bounded, and checked against addresses that may not be called. */
  readonly http: UpstreamHttp;
  /** For protocols whose credential is exchanged for a token of some minutes. */
  readonly tokens: TokenCache;
  readonly clock: Clock;
  /** Mints what the provider leaves out, e.g. the id of a tool call. */
  readonly newId: NewId;
}

export interface QuirksFault {
  /** Dots between the steps; empty for the quirks as a whole. */
  readonly path: string;
  readonly message: string;
}
