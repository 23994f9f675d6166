// Owns what both doors of the client are asked: one subscription, from its place on, for as long as one connection lasts.
import type { CompletionEventFragment } from './__generated__/documents.ts';

export interface Subscription {
  readonly operationName: 'StreamCompletion' | 'CompletionEvents';
  readonly variables: Record<string, unknown>;
  /** What has been seen of the run, where something has. */
  readonly seen?: { readonly completionId: string; readonly seq: number };
}

/** How long a connection may say nothing, in milliseconds: the gateway says something every 12 seconds, or when it is asked. */
export const SILENCE_MS = 30_000;

/**
 * The events that one connection gives. It raises `ConnectionLost` where another connection may give the rest, `ModelgraphError` where none
 * will. Leaving the loop, or aborting the signal, closes the connection.
 */
export type OpenDoor = (
  subscription: Subscription,
  signal: AbortSignal,
) => AsyncIterable<CompletionEventFragment>;
