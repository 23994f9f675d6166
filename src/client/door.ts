// Owns the contract of the client's two kinds of connection: each serves one subscription, from a given place on, until the connection ends.
import type { CompletionEventFragment } from './__generated__/documents.ts';

export interface Subscription {
  readonly operationName: 'StreamCompletion' | 'CompletionEvents';
  readonly variables: Record<string, unknown>;
  /** The last event that the caller has seen of the run; absent before the first. */
  readonly seen?: { readonly completionId: string; readonly seq: number };
}

/** How long, in milliseconds, a connection may stay silent. The gateway sends an event or a ping every 12 seconds, or answers a ping. */
export const SILENCE_MS = 30_000;

/**
 * The events of one connection. It raises `ConnectionLost` if a new connection may give the rest, and `ModelgraphError` if none will. Leaving the loop,
 * or aborting the signal, closes the connection.
 */
export type OpenDoor = (
  subscription: Subscription,
  signal: AbortSignal,
) => AsyncIterable<CompletionEventFragment>;
