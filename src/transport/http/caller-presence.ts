// Owns how a door finds out that its caller disconnected before it was answered.
import type { ServerResponse } from 'node:http';
import { GatewayError } from '../../kernel/errors.ts';

/** The reason of an abort because the caller has disconnected. */
export function callerGone(): GatewayError {
  return new GatewayError('CANCELLED', 'The caller closed the connection before it was answered');
}

/** Aborted when the connection closes before the whole answer has been sent; from the start where it has closed already. */
export function goneSignalOf(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const look = () => {
    if (!response.writableFinished) gone.abort(callerGone());
  };
  // A response that has closed already emits no further event.
  if (response.closed || response.destroyed) look();
  else response.once('close', look);
  return gone.signal;
}
