// Owns how a door learns that its caller went away before it was answered.
import type { ServerResponse } from 'node:http';
import { GatewayError } from '../../kernel/errors.ts';

/** Why a call was given up, for whoever still waits for it on this side. */
export function callerGone(): GatewayError {
  return new GatewayError('CANCELLED', 'The caller closed the connection before it was answered');
}

/** Aborted when the connection closes before the whole answer has been sent; from the start where it has closed already. */
export function goneSignalOf(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const look = () => {
    if (!response.writableFinished) gone.abort(callerGone());
  };
  // A closed response tells no listener again.
  if (response.closed || response.destroyed) look();
  else response.once('close', look);
  return gone.signal;
}
