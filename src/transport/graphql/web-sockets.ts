// Owns the WebSockets of the graph: graphql-ws on the gateway's port. A connection signs in when it opens, and is told to reconnect when the node shuts down.
import { GraphQLError } from 'graphql';
import { CloseCode, type Context } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { SignedIn } from '../../domain/identity/authenticator.ts';
import type { Arrival, ContextFor, GraphContext } from '../../graphql/context.ts';
import { type ErrorFormatter, formatErrors } from '../../graphql/error-format.ts';
import { GatewayError } from '../../kernel/errors.ts';
import { isUuid, newId } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/logger.ts';
import { parseTraceContext, type TraceContext } from '../../kernel/trace-context.ts';
import { callerGone } from '../http/caller-presence.ts';
import type { AcceptUpgrade } from '../http/door.ts';
import type { IntakeBudget } from '../http/intake-budget.ts';
import type { SignInDesk } from '../http/sign-in.ts';
import type { EventExecution } from './event-execution.ts';
import { isSharedStateFault, type Operations } from './operations.ts';
import { withRateLimit } from './rate-limit-extension.ts';
import { watchSlowReaders } from './slow-readers.ts';
import { boundIntake } from './socket-intake.ts';
import { type SocketExtra, serveSockets } from './socket-protocol.ts';

interface WebSocketsOptions {
  readonly operations: Operations;
  readonly events: EventExecution;
  readonly desk: SignInDesk;
  readonly contextFor: ContextFor;
  readonly formatError: ErrorFormatter;
  readonly logger: Logger;
  /** Bound on the unfinished messages and requests that the node holds, over all connections. */
  readonly budget: IntakeBudget;
  readonly maxMessageBytes: number;
  readonly maxSubscriptionsPerSocket: number;
  /** How long, in milliseconds, a socket may leave sent data unread. */
  readonly slowReaderMs: number;
}

interface WebSockets {
  readonly accept: AcceptUpgrade;
  /** Tells every client to reconnect elsewhere, and accepts no new connections. */
  close(): Promise<void>;
}

interface Session extends Record<PropertyKey, unknown> {
  credential?: SignedIn;
  /** The trace context of the client's connection, which holds for everything that it asks for over it. */
  trace?: TraceContext | undefined;
  unfollow?: () => void;
}

const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;
const MAX_BUFFERED_BYTES = 64 * 1_048_576;
const INIT_WAIT_MS = 10_000;
const KEEP_ALIVE_MS = 20_000;
const CLOSE_ANSWER_MS = 1_500;
/** A close frame has room for 123 bytes of reason. */
const MAX_REASON_LENGTH = 100;

export function openWebSockets(options: WebSocketsOptions): WebSockets {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: options.maxMessageBytes });
  const signedIn = new WeakMap<WebSocket, () => void>();
  const sendAllAway = serveSockets<Session>({
    sockets,
    keepAliveMs: KEEP_ALIVE_MS,
    logger: options.logger,
    hooks: {
      connectionInitWaitTimeout: INIT_WAIT_MS,
      subscribe: (args) => options.events.subscribe(args),
      onConnect: (context) => admit(context, options.desk, () => signedIn.get(context.extra.socket)?.()),
      onDisconnect: (context) => context.extra.unfollow?.(),
      onClose: (context) => context.extra.unfollow?.(),
      onSubscribe: (context, id, payload) => prepare(context, id, payload, options),
      onNext: (context, _id, _payload, args, result) => {
        const graphContext = args.contextValue as GraphContext;
        if (!result.errors)
          return graphContext.notes.rateLimit ? withRateLimit(result, graphContext) : undefined;
        sendElsewhere(context, result.errors);
        const { requestId } = graphContext;
        return { ...result, errors: formatErrors(result.errors, options.formatError, requestId) };
      },
      onError: (context, _id, _payload, errors) => {
        sendElsewhere(context, errors);
        return formatErrors(errors, options.formatError, newId());
      },
    },
  });
  let closing: Promise<void> | undefined;
  const accept: AcceptUpgrade = (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (opened) => {
      signedIn.set(opened, boundIntake(opened, socket, options.budget));
      sockets.emit('connection', opened, request);
    });
  };
  const stopWatching = watchSlowReaders({
    sockets: sockets.clients,
    patienceMs: options.slowReaderMs,
    maxBufferedBytes: MAX_BUFFERED_BYTES,
  });
  const close = async () => {
    stopWatching();
    for (const socket of sockets.clients)
      socket.close(GOING_AWAY, 'The node is shutting down; connect again');
    // If a client does not answer the close frame (it may be frozen, or hostile), its connection is ended after a while.
    const timer = setTimeout(() => {
      for (const socket of sockets.clients) socket.terminate();
    }, CLOSE_ANSWER_MS);
    await sendAllAway();
    clearTimeout(timer);
  };
  return {
    accept,
    // Readers are told to leave before the server closes; the server calls this once more then.
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function admit(
  context: Context<Record<string, unknown>, SocketExtra & Session>,
  desk: SignInDesk,
  onSignedIn: () => void,
): Promise<boolean> {
  const { extra, connectionParams } = context;
  try {
    const credential = await desk.signIn(parameterOf('authorization', connectionParams), extra.request);
    // The socket may have closed since, and has reported that already.
    if (extra.socket.readyState !== extra.socket.OPEN) return false;
    onSignedIn();
    extra.credential = credential;
    extra.trace = parseTraceContext(
      parameterOf('traceparent', connectionParams),
      parameterOf('tracestate', connectionParams),
    );
    extra.unfollow = desk.authenticator.follow(credential, (reason) =>
      extra.socket.close(CloseCode.Forbidden, reason.slice(0, MAX_REASON_LENGTH)),
    );
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    // An outage of the gateway, or too many failures from this address, says nothing about the credential, so the client may try again.
    const code = error.code === 'UNAUTHENTICATED' ? CloseCode.Unauthorized : TRY_AGAIN_LATER;
    extra.socket.close(code, error.message.slice(0, MAX_REASON_LENGTH));
  }
  return true;
}

/** Finds a parameter whose name, like that of a header, may be written in any case. */
function parameterOf(
  wanted: string,
  connectionParams: Readonly<Record<string, unknown>> = {},
): string | undefined {
  const entries = Object.entries(connectionParams);
  const found = entries.find(([name, value]) => name.toLowerCase() === wanted && typeof value === 'string');
  return found?.[1] as string | undefined;
}

function prepare(
  context: Context<Record<string, unknown>, SocketExtra & Session>,
  operationId: string,
  payload: {
    query?: string | null;
    extensions?: Record<string, unknown> | null | undefined;
    operationName?: string | null | undefined;
    variables?: Record<string, unknown> | null | undefined;
  },
  options: WebSocketsOptions,
) {
  const { credential } = context.extra;
  if (!credential) throw new GatewayError('UNAUTHENTICATED', 'A credential is required');
  if (Object.keys(context.subscriptions).length > options.maxSubscriptionsPerSocket) {
    return [
      new GraphQLError(
        `At most ${options.maxSubscriptionsPerSocket} subscriptions may be open on one socket; open another socket`,
      ),
    ];
  }
  // A client that reconnects sends the same operation id again, so the id names the run.
  const arrival: Arrival = { kind: 'ws', ...(isUuid(operationId) ? { operationKey: operationId } : {}) };
  return options.operations.prepare(
    {
      query: payload.query ?? null,
      extensions: payload.extensions,
      operationName: payload.operationName ?? null,
      variables: payload.variables ?? null,
    },
    options.contextFor({
      viewer: credential.viewer(),
      requestId: newId(),
      trace: context.extra.trace,
      arrival,
      gone: goneSignalOfOperation(context, operationId),
    }),
  );
}

/** Aborted when the client unsubscribes, or its socket closes, before the operation has a result or a stream. */
function goneSignalOfOperation({ subscriptions }: Context, operationId: string): AbortSignal {
  const gone = new AbortController();
  // graphql-ws reports this to no hook, but it calls `return` of the entry that stands here. It puts the stream itself here as soon as there is one.
  subscriptions[operationId] = {
    async *[Symbol.asyncIterator]() {},
    async return() {
      gone.abort(callerGone());
    },
  } as AsyncIterable<unknown>;
  return gone.signal;
}

/** This node cannot read shared events now, so the client is told to reconnect: it resumes there, perhaps on another node. */
function sendElsewhere(
  context: Context<Record<string, unknown>, SocketExtra & Session>,
  errors: readonly unknown[],
): void {
  if (!errors.some(isSharedStateFault)) return;
  // Messages after this are dropped, so the client sees the close code only, and not the error.
  context.extra.socket.close(TRY_AGAIN_LATER, 'Events cannot be read on this node now; connect again');
}
