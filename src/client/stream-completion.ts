// Owns the client's streams: completions as async iterables that come back and go on by themselves, each event once and in order.
//
// 1. A new run has a key, so that asking again joins it instead of starting another.
// 2. Each event is checked to follow the last one. What has been seen is the place from which a new connection goes on.
// 3. A lost connection is made again, after a while that grows, until none has held for too long. One that says nothing is lost too.
// 4. Tool calls are for running only once the run has finished: their pieces are left out unless asked for, and the end has them whole.
import type { CompletionEventFragment, CompletionInput } from './__generated__/documents.ts';
import { ConnectionLost, ModelgraphError } from './client-error.ts';
import type { OpenDoor, Subscription } from './door.ts';
import { openSseDoor } from './sse-door.ts';
import { openWebSocketDoor } from './web-socket-door.ts';

export type { CompletionEventFragment, CompletionInput };
export { ModelgraphError };

export type CompletionEvent = CompletionEventFragment;

export interface ClientOptions {
  /** The gateway's endpoint, e.g. `http://localhost:4000/graphql`. */
  readonly url: string;
  /** An API key, or a JWT where the gateway takes them. */
  readonly key: string;
  /** Default `ws`. */
  readonly door?: 'ws' | 'sse';
  /** For `ws`, where there is no global `WebSocket`. */
  readonly webSocketImpl?: unknown;
  /** For `sse`, instead of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** Leaves the stream; the run goes on unless its `onDetach` says otherwise. */
  readonly signal?: AbortSignal;
  /** How long to try for a connection that holds, in milliseconds. Default 60000. */
  readonly patienceMs?: number;
  /** How long a connection may say nothing before another is made, in milliseconds. Default 30000. */
  readonly silenceMs?: number;
  /** Shows the pieces of tool calls as they come; run them only after `CompletionFinished`. Default false. */
  readonly toolCallDeltas?: boolean;
}

const PATIENCE_MS = 60_000;
const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 5_000;
/** What a connection has to hold for, that the next is not taken for a repeated try. */
const STEADY_MS = 5_000;

/** Starts a completion, or joins the one that its key names, and gives its events up to and with the terminal one. Raises `ModelgraphError`. */
export function streamCompletion(
  options: ClientOptions & { readonly input: CompletionInput },
): AsyncGenerator<CompletionEvent, void> {
  const input = { ...options.input, idempotencyKey: options.input.idempotencyKey ?? crypto.randomUUID() };
  return follow(options, { operationName: 'StreamCompletion', variables: { input } }, 0);
}

/** Follows a completion, running or ended: the events behind `after`, up to and with the terminal one. Raises `ModelgraphError`. */
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
  /** Since when no connection has been good. */
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
      // It ended without a terminal event: there is none behind this place.
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ConnectionLost)) throw error;
      // One that held was good, though the run had nothing to say.
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

/** Where a new connection goes on. */
function behind({ completionId, seq }: CompletionEvent): Subscription {
  return {
    operationName: 'CompletionEvents',
    variables: { id: completionId, after: seq },
    seen: { completionId, seq },
  };
}

/** False for what has been seen. A gap is a fault: no event is ever left out silently. */
function follows(event: CompletionEvent, last: number): boolean {
  if (event.seq <= last) return false;
  const from = 'fromSeq' in event ? event.fromSeq : event.seq;
  // An end that another node wrote for a dead one lies far ahead on purpose.
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
