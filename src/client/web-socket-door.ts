// Owns the client's connection over WebSocket: graphql-ws for the protocol, one connection for each subscription.
import { type CloseCode, createClient } from 'graphql-ws';
import { type CompletionEventFragment, DOCUMENTS } from './__generated__/documents.ts';
import { ConnectionLost, errorOf, ModelgraphError } from './client-error.ts';
import { type OpenDoor, SILENCE_MS } from './door.ts';
import { Watchdog } from './watchdog.ts';

export interface WebSocketDoorOptions {
  /** The gateway's endpoint, e.g. `https://gateway.example/graphql`; `http` in it is replaced by `ws`. */
  readonly url: string;
  readonly key: string;
  /** A WebSocket class, for platforms without a global `WebSocket`. Default: the global one. */
  readonly webSocketImpl?: unknown;
  readonly silenceMs?: number;
}

/** Codes after which no other connection would succeed, so the client gives up. Sources: graphql-ws `CloseCode`, and RFC 6455. */
const FINAL_CODES: ReadonlyMap<number, string> = new Map([
  [4400 satisfies CloseCode.BadRequest, 'BAD_REQUEST'],
  [4401 satisfies CloseCode.Unauthorized, 'UNAUTHENTICATED'],
  [4403 satisfies CloseCode.Forbidden, 'FORBIDDEN'],
  [4406 satisfies CloseCode.SubprotocolNotAcceptable, 'BAD_REQUEST'],
  [1009, 'BAD_USER_INPUT'],
]);

/** The code of a socket that the client itself has given up. Source: graphql-ws. */
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
      // The library must not reconnect by itself: `stream-completion.ts` does, since it knows which events have been seen.
      retryAttempts: 0,
      generateID: () => crypto.randomUUID(),
      // A run may give no event for long. The gateway answers a ping at once, so a ping without an answer shows that the connection is lost.
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
      // Without this the library would wait until the connection stands, only to close it.
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
      // The subscription has been left and its socket is closing; a socket that never opened is not waited for.
      client.terminate();
    }
  };
}

/** A socket that the client has given up may still report an error. Without a listener, Node would treat that as an uncaught exception. */
function withQuietErrors(given: unknown): unknown {
  // A value that is no WebSocket class is passed on: the library refuses it with an error that explains itself.
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
  // The gateway has refused the operation with GraphQL errors.
  if (Array.isArray(error)) return errorOf(error);
  const { code, reason } = (error ?? {}) as { readonly code?: unknown; readonly reason?: unknown };
  const final = typeof code === 'number' ? FINAL_CODES.get(code) : undefined;
  const words = typeof reason === 'string' && reason !== '' ? reason : 'The connection was lost';
  return final
    ? new ModelgraphError(final, words, { cause: error })
    : new ConnectionLost(words, { cause: error, isSilent: code === TERMINATED });
}
