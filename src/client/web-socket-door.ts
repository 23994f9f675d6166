// Owns the client's way over WebSocket: graphql-ws for the protocol, one connection for each subscription.
import { type CloseCode, createClient } from 'graphql-ws';
import { type CompletionEventFragment, DOCUMENTS } from './__generated__/documents.ts';
import { ConnectionLost, errorOf, ModelgraphError } from './client-error.ts';
import { type OpenDoor, SILENCE_MS } from './door.ts';
import { Watchdog } from './watchdog.ts';

export interface WebSocketDoorOptions {
  /** The endpoint, e.g. `https://gateway.example/graphql`. */
  readonly url: string;
  readonly key: string;
  /** Where there is no global `WebSocket`. */
  readonly webSocketImpl?: unknown;
  readonly silenceMs?: number;
}

/** No other connection would fare better. Sources: graphql-ws `CloseCode`, and RFC 6455. */
const FINAL_CODES: ReadonlyMap<number, string> = new Map([
  [4400 satisfies CloseCode.BadRequest, 'BAD_REQUEST'],
  [4401 satisfies CloseCode.Unauthorized, 'UNAUTHENTICATED'],
  [4403 satisfies CloseCode.Forbidden, 'FORBIDDEN'],
  [4406 satisfies CloseCode.SubprotocolNotAcceptable, 'BAD_REQUEST'],
  [1009, 'BAD_USER_INPUT'],
]);

/** Of a socket that the client itself gave up. Source: graphql-ws. */
const TERMINATED = 4499;

export function openWebSocketDoor(options: WebSocketDoorOptions): OpenDoor {
  const { url, key, silenceMs = SILENCE_MS } = options;
  return async function* open({ operationName, variables }, signal) {
    let isConnected = false;
    const watchdog = new Watchdog(() => client.terminate());
    const client = createClient({
      url: url.replace(/^http/, 'ws'),
      connectionParams: { authorization: `Bearer ${key}` },
      webSocketImpl: withQuietErrors(options.webSocketImpl ?? globalThis.WebSocket),
      // Coming back is done here, where it is known what has been seen.
      retryAttempts: 0,
      generateID: () => crypto.randomUUID(),
      // A run may say nothing for long; the gateway answers a ping at once.
      keepAlive: silenceMs / 2,
      on: {
        connecting: () => watchdog.expect(silenceMs),
        connected: () => {
          isConnected = true;
        },
        ping: (isReceived) => isReceived || watchdog.expect(silenceMs / 2),
        message: () => watchdog.rest(),
      },
    });
    const results = client.iterate<Record<string, CompletionEventFragment>>({
      query: DOCUMENTS,
      operationName,
      variables,
    });
    const leave = () => {
      void results.return?.(undefined);
      // The library would wait for the connection, to close it.
      if (!isConnected) client.terminate();
    };
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    try {
      for await (const { data, errors } of results) {
        if (errors) throw errorOf(errors);
        for (const event of Object.values(data ?? {})) yield event;
      }
    } catch (error) {
      throw faultOf(error);
    } finally {
      watchdog.rest();
      signal.removeEventListener('abort', leave);
      // The subscription has been left, and its socket is closing; one that never opened is not waited for.
      client.terminate();
    }
  };
}

/** A socket that is given up for dead may still report an error, to nobody, which Node takes for a fault of the process. */
function withQuietErrors(given: unknown): unknown {
  // What is no implementation is refused by the library, in words that help.
  if (typeof given !== 'function') return given;
  const Socket = given as typeof WebSocket;
  return class extends Socket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener('error', () => {});
    }
  };
}

function faultOf(error: unknown): unknown {
  if (error instanceof ConnectionLost || error instanceof ModelgraphError) return error;
  // The gateway's refusal of the operation.
  if (Array.isArray(error)) return errorOf(error);
  const { code, reason } = (error ?? {}) as { readonly code?: unknown; readonly reason?: unknown };
  const final = typeof code === 'number' ? FINAL_CODES.get(code) : undefined;
  const words = typeof reason === 'string' && reason !== '' ? reason : 'The connection was lost';
  return final
    ? new ModelgraphError(final, words, { cause: error })
    : new ConnectionLost(words, { cause: error, isSilent: code === TERMINATED });
}
