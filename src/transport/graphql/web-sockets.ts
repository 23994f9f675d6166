// Owns the WebSockets of the graph: graphql-ws on the same port, signed in at its start, told when the node goes away.
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
  /** What the node may hold of unfinished messages, over all sockets and requests. */
  readonly budget: IntakeBudget;
  readonly maxMessageBytes: number;
  readonly maxSubscriptionsPerSocket: number;
  /** How long a socket may leave unread what it was sent. */
  readonly slowReaderMs: number;
}

interface WebSockets {
  readonly accept: AcceptUpgrade;
  /** Tells every client to come back elsewhere, and takes no new ones. */
  close(): Promise<void>;
}

interface Session extends Record<PropertyKey, unknown> {
  credential?: SignedIn;
  /** Of the client's connection, so of everything that it asks for over it. */
  trace?: TraceContext | undefined;
  unfollow?: () => void;
}

const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;
const MAX_BUFFERED_BYTES = 64 * 1_048_576;
const INIT_WAIT_MS = 10_000;
const KEEP_ALIVE_MS = 20_000;
const CLOSE_ANSWER_MS = 1_500;
/** A close frame takes 123 bytes of it. */
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
    // A client that does not answer the close frame, as one that is frozen or hostile, is not waited for.
    const timer = setTimeout(() => {
      for (const socket of sockets.clients) socket.terminate();
    }, CLOSE_ANSWER_MS);
    await sendAllAway();
    clearTimeout(timer);
  };
  return {
    accept,
    // Readers are sent away before the server closes, which asks for it again.
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
    // It may have closed meanwhile, and has told so already.
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
    // An outage of ours, or a pause for an address, is no verdict on the credential.
    const code = error.code === 'UNAUTHENTICATED' ? CloseCode.Unauthorized : TRY_AGAIN_LATER;
    extra.socket.close(code, error.message.slice(0, MAX_REASON_LENGTH));
  }
  return true;
}

/** As a header it may be spelt in any case. */
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
        `At most ${options.maxSubscriptionsPerSocket} subscriptions are open on one socket; open another`,
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

/** Aborted when the client unsubscribes, or its socket closes, before the operation has a result or a stream to leave. */
function goneSignalOfOperation({ subscriptions }: Context, operationId: string): AbortSignal {
  const gone = new AbortController();
  // The library tells nobody of this, but leaves what stands here; it puts the stream itself here once there is one.
  subscriptions[operationId] = {
    async *[Symbol.asyncIterator]() {},
    async return() {
      gone.abort(callerGone());
    },
  } as AsyncIterable<unknown>;
  return gone.signal;
}

/** What nodes share cannot be read here now: a client that comes back, to another node perhaps, goes on where it was. */
function sendElsewhere(
  context: Context<Record<string, unknown>, SocketExtra & Session>,
  errors: readonly unknown[],
): void {
  if (!errors.some(isSharedStateFault)) return;
  // What is sent from here on is not: the client sees the close alone.
  context.extra.socket.close(TRY_AGAIN_LATER, 'Events cannot be read on this node now; connect again');
}
