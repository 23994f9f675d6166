// Owns the client's streams: completions as async iterables that reconnect by themselves and give each event once and in order.
//
// 1. A new run has an idempotency key, so that sending the request again joins it instead of starting another.
// 2. Each event is checked to follow the last one. A new connection goes on after the last event that was seen.
// 3. After a lost or silent connection the client connects again, with growing pauses, until no connection has held for `patienceMs`.
// 4. Tool calls may be run only after the run has finished: their pieces are left out unless asked for, and the final event has them whole.
import type { CompletionEventFragment, CompletionInput } from './__generated__/documents.ts';
import { ConnectionLost, ModelgraphError } from './client-error.ts';
import type { OpenDoor, Subscription } from './door.ts';
import { openSseDoor } from './sse-door.ts';
import { openWebSocketDoor } from './web-socket-door.ts';

export type { CompletionEventFragment, CompletionInput };
export { ModelgraphError };

export type CompletionEvent = CompletionEventFragment;

export interface ClientOptions {
  /** The gateway's GraphQL endpoint, e.g. `http://localhost:4000/graphql`. The paths of the streams are derived from it. */
  readonly url: string;
  /** An API key, or a JWT if the gateway accepts JWTs. It is sent with each connection, so it must stay valid as long as the stream is followed. */
  readonly key: string;
  /** The transport: `ws` (graphql-ws) or `sse` (GraphQL over server-sent events). Default `ws`. */
  readonly door?: 'ws' | 'sse';
  /** A WebSocket class, for `ws` on platforms without a global `WebSocket`. Default: the global one. */
  readonly webSocketImpl?: unknown;
  /** A function to use in place of the global `fetch`, for `sse`; e.g. one that goes through a proxy. */
  readonly fetch?: typeof globalThis.fetch;
  /** Aborting it ends the loop without an error. The run goes on, unless it was begun with `onDetach: CANCEL`. */
  readonly signal?: AbortSignal;
  /** How long, in milliseconds, to go on trying when no connection holds; then `ModelgraphError` with the code `UNREACHABLE` is raised. Default 60000. */
  readonly patienceMs?: number;
  /** How long, in milliseconds, a connection may stay silent before the client makes another. The gateway sends something every 12 seconds. Default 30000. */
  readonly silenceMs?: number;
  /**
   * True: `ToolCallDelta` events are given too. A reroute may void them, so run tool calls only after `CompletionFinished`, which holds them whole.
   * Default false.
   */
  readonly toolCallDeltas?: boolean;
}

const PATIENCE_MS = 60_000;
const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 5_000;
/** A connection that held this long counts as good, so that losing it is not counted as one more failed try. */
const STEADY_MS = 5_000;

/**
 * Starts a completion, or joins the one that its idempotency key names, and gives its events in order, each once, up to and including the terminal one.
 * The client reconnects by itself and goes on after the last event that it has seen.
 * `input` is the `CompletionInput` of the graph. If it has no `idempotencyKey`, the client makes one, so that a reconnect never starts a second run.
 * After a `CompletionRerouted` event with `discard: true`, discard all content received so far: another instance answers from the start.
 * A run that fails is no error of the stream: it ends with `CompletionFailed`. Raises `ModelgraphError` if the gateway refuses the request, or if no
 * connection holds for `patienceMs`.
 */
export function streamCompletion(
  options: ClientOptions & { readonly input: CompletionInput },
): AsyncGenerator<CompletionEvent, void> {
  const input = { ...options.input, idempotencyKey: options.input.idempotencyKey ?? crypto.randomUUID() };
  return follow(options, { operationName: 'StreamCompletion', variables: { input } }, 0);
}

/**
 * Follows a completion that has begun, running or ended: gives the events with `seq > after` in order, each once, up to and including the terminal one.
 * The client reconnects as `streamCompletion` does.
 * `id` is the completion's id. `after` is the `seq` of the last event that the caller has seen; default 0, which gives all events. If nothing follows
 * that place, the stream ends without an event.
 * Raises `ModelgraphError`, e.g. with `NOT_FOUND`, or `EVENTS_EXPIRED` if the events are no longer kept (the query `completion(id)` still has the
 * result).
 */
export function completionEvents(
  options: ClientOptions & { readonly id: string; readonly after?: number },
): AsyncGenerator<CompletionEvent, void> {
  const { id, after = 0 } = options;
  return follow(options, { operationName: 'CompletionEvents', variables: { id, after } }, after);
}

async function* follow(
  options: ClientOptions,
  first: Subscription,
  after: number,
): AsyncGenerator<CompletionEvent, void> {
  const { signal = new AbortController().signal, patienceMs = PATIENCE_MS } = options;
  const open = doorOf(options);
  let subscription = first;
  let last = after;
  /** Since when no connection has been good; `undefined` while the present one is. */
  let troubleSinceMs: number | undefined;
  let waitMs = FIRST_WAIT_MS;
  while (!signal.aborted) {
    const begunMs = Date.now();
    try {
      for await (const event of open(subscription, signal)) {
        if (!follows(event, last)) continue;
        last = event.seq;
        troubleSinceMs = undefined;
        waitMs = FIRST_WAIT_MS;
        subscription = behind(event);
        if (event.__typename !== 'ToolCallDelta' || options.toolCallDeltas) yield event;
        if (isTerminal(event)) return;
      }
      // The stream ended without a terminal event: there are no events after this place.
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ConnectionLost)) throw error;
      // A connection that held was good, even if the run gave no event on it.
      const now = Date.now();
      const held = now - begunMs > STEADY_MS && !error.isSilent;
      if (held || troubleSinceMs === undefined) troubleSinceMs = now;
      if (now - troubleSinceMs > patienceMs) {
        throw new ModelgraphError('UNREACHABLE', `No connection for ${patienceMs} ms: ${error.message}`, {
          cause: error,
        });
      }
      const askedMs = Math.min(error.retryAfterMs ?? 0, patienceMs);
      await pause(Math.max(askedMs, waitMs * (0.5 + Math.random() / 2)), signal);
      waitMs = Math.min(waitMs * 2, MAX_WAIT_MS);
    }
  }
}

function doorOf(options: ClientOptions): OpenDoor {
  return options.door === 'sse' ? openSseDoor(options) : openWebSocketDoor(options);
}

/** The subscription by which a new connection goes on. */
function behind({ completionId, seq }: CompletionEvent): Subscription {
  return {
    operationName: 'CompletionEvents',
    variables: { id: completionId, after: seq },
    seen: { completionId, seq },
  };
}

/** False for an event that was seen already. A gap raises an error, so that no event is left out silently. */
function follows(event: CompletionEvent, last: number): boolean {
  if (event.seq <= last) return false;
  const from = 'fromSeq' in event ? event.fromSeq : event.seq;
  // A terminal event that another node has written for a dead node has a `seq` far ahead on purpose.
  if (from === last + 1 || isTerminal(event)) return true;
  throw new ModelgraphError('INTERNAL', `Event ${from} came after ${last}`);
}

function isTerminal(event: CompletionEvent): boolean {
  return 'completion' in event;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
