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
 * One wire protocol: how its requests are written and its answers read.
 * An adapter keeps no state between calls apart from what it was made with (the HTTP client, the token cache): one object serves all runs of a node at
 * once. Each field is a capability, a kind of call. If a capability is absent, the gateway does not use models of this protocol for such calls, and its
 * errors say so. Everything that is known about one provider or model comes with the call, in `ProviderTarget`.
 */
export interface Adapter {
  /** Name of the protocol, 1 to 64 of `a-z`, `0-9` and `-`. Rows name it in `ProviderSpec.protocol`; no two adapters of a gateway may share one. */
  readonly protocol: string;
  /** True if its answers are made up, as the sandbox's are: its models serve only requests that name them, never in place of a real model. Default false. */
  readonly simulated?: boolean;
  /** The capability to answer conversations. */
  readonly completions?: Completions;
  /** The capability to list the models that a credential can see. If absent, model syncs of such providers end without a list. */
  readonly models?: Models;
  readonly health: Health;
  /**
   * The faults in the quirks of a row, each with its place and what would be right; the gateway calls it when a row is written, and refuses the row.
   * Pure. If absent, quirks are not checked.
   */
  faultsOfQuirks?(quirks: JsonObject): readonly QuirksFault[];
}

/** An adapter whose protocol has completions. */
export interface CompletionAdapter extends Adapter {
  readonly completions: Completions;
}

/** What every adapter is made with, built-in or external; an adapter uses the parts that its protocol needs. */
export interface AdapterDependencies {
  /** The only way by which an adapter may reach a provider: it pools connections, bounds the time to connect, and refuses addresses that may not be called. */
  readonly http: UpstreamHttp;
  /** For protocols that exchange a credential for a token of some minutes: a cache that fetches each token once, for all nodes where they share a store. */
  readonly tokens: TokenCache;
  readonly clock: Clock;
  /** Makes ids that the provider leaves out, e.g. that of a tool call. */
  readonly newId: NewId;
}

export interface QuirksFault {
  /** Path in the quirks, steps joined by dots; empty if the fault is about the quirks as a whole. */
  readonly path: string;
  readonly message: string;
}
