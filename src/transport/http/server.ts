// Owns the HTTP server: one Fastify with every door on it, what they all share, and the order in which they close.
import { randomUUID } from 'node:crypto';
import cors from '@fastify/cors';
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { nodeDraining } from '../../domain/runs/run-drain.ts';
import type { CallerErrors } from '../../kernel/caller-errors.ts';
import { StartError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { AcceptUpgrade, Door, DoorSupplies, OpenedDoor } from './door.ts';
import { type Readiness, registerHealth } from './health.ts';
import { IntakeBudget } from './intake-budget.ts';
import { registerJsonBody } from './json-body.ts';
import { type Refusal, refuse, type SpellRefusal } from './refusal.ts';
import { SignInDesk, type SignInOptions } from './sign-in.ts';
import { routeUpgrades } from './upgrades.ts';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** What no door has a path for is refused in the words of the first. */
  readonly doors: readonly [Door, ...Door[]];
  readonly signIn: SignInOptions;
  readonly readiness: Readiness;
  readonly callerErrors: CallerErrors;
  readonly logger: Logger;
  readonly maxBodyBytes: number;
  /** How long a client of a stream may leave unread what it was sent. */
  readonly slowReaderMs: number;
  /** Origins whose pages may call; `undefined`: none but the gateway's own. */
  readonly corsOrigins: '*' | readonly string[] | undefined;
  readonly maxConnections: number;
}

export interface RunningServer {
  /** `http://host:port`. */
  readonly url: string;
  /** Sends clients of open streams elsewhere, and refuses new streams; waits for nobody. Requests under way are still answered. */
  detachReaders(): void;
  /** In bounded time: what has not been answered by then is cut. */
  close(): Promise<void>;
}

/** How many bodies of the largest size may be under way together. */
const BODIES_AT_ONCE = 2;
const REQUEST_ID = /^[\w.:-]{1,128}$/;
/** How long a client may take to send its request; streams and long answers are not bounded by it. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How long requests under way may take when the server closes. */
const LAST_ANSWERS_MS = 2_000;

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { doors, logger, maxBodyBytes } = options;
  const server = Fastify({
    bodyLimit: maxBodyBytes,
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    routerOptions: { ignoreTrailingSlash: true },
    forceCloseConnections: 'idle',
    // Its own answer has no errors in it; ours has.
    return503OnClosing: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
  });
  const state: ServerState = { closing: new AbortController(), isClosed: false };
  addHooks(server, state, options);
  server.setErrorHandler(refuseFaults(options));
  server.server.maxConnections = options.maxConnections;
  refuseUnknownPaths(server, doors);
  const budget = new IntakeBudget(BODIES_AT_ONCE * maxBodyBytes);
  registerJsonBody(server, { maxBodyBytes, budget });
  registerHealth(server, options.readiness);
  registerFrontPage(server, doors);
  const opened = await openDoors(server, options, {
    desk: new SignInDesk(options.signIn),
    budget,
    closing: state.closing.signal,
    maxBodyBytes,
    slowReaderMs: options.slowReaderMs,
    logger,
  });
  routeUpgrades(server.server, acceptorsOf(opened), state.closing.signal);
  const url = await server.listen({ host: options.host, port: options.port }).catch(explainAddress);
  const detachReaders = async () => {
    state.closing.abort();
    await Promise.all(opened.map((door) => door.detachReaders?.()));
  };
  return {
    url,
    detachReaders() {
      void detachReaders();
    },
    async close() {
      state.isClosed = true;
      await detachReaders();
      const cut = setTimeout(() => server.server.closeAllConnections(), LAST_ANSWERS_MS);
      await server.close();
      clearTimeout(cut);
      for (const door of opened) await door.close?.();
    },
  };
}

interface ServerState {
  readonly closing: AbortController;
  isClosed: boolean;
}

function addHooks(server: FastifyInstance, state: ServerState, { doors, logger }: ServerOptions): void {
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    if (state.isClosed) refuse(reply, nodeDraining(), spellingFor(request, doors));
    else done();
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    // Clients that keep connections take their next request to another node.
    if (state.closing.signal.aborted) reply.header('connection', 'close');
    done(null, payload);
  });
  server.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request;
    const fields = {
      requestId: request.id,
      method,
      path: routeOptions.url,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
    logger.debug(fields, 'Request');
    done();
  });
}

/** Each door in a scope of its own, so that its hooks hold for its own routes. */
async function openDoors(
  server: FastifyInstance,
  { doors, corsOrigins }: ServerOptions,
  supplies: DoorSupplies,
): Promise<OpenedDoor[]> {
  for (const door of doors) door.registerPages?.(server);
  const opened: OpenedDoor[] = [];
  // Pages of other origins may read what the doors' routes answer, and nothing else (the explorer's sign-in least of all).
  await server.register(async (shared) => {
    if (corsOrigins !== undefined) await shared.register(cors, corsOf(corsOrigins));
    for (const door of doors) {
      await shared.register(async (routes) => {
        opened.push(await door.open(routes, supplies));
      });
    }
  });
  return opened;
}

function acceptorsOf(opened: readonly OpenedDoor[]): Map<string, AcceptUpgrade> {
  return new Map(opened.flatMap(({ upgrade }) => (upgrade ? [[upgrade.path, upgrade.accept]] : [])));
}

/** The words of the door that the request came to, whether or not there is a route for it. */
function spellingFor({ url }: FastifyRequest, doors: ServerOptions['doors']): SpellRefusal {
  const path = url.split('?')[0] ?? '';
  const isOf = (each: string) => path === each || path.startsWith(`${each}/`);
  return (doors.find(({ paths }) => paths.some(isOf)) ?? doors[0]).spell;
}

/** Before anything of such a request is read. */
function refuseUnknownPaths(server: FastifyInstance, doors: ServerOptions['doors']): void {
  const places = doors.map(({ name, paths }) => `${name} is at ${paths[0]}`).join(', ');
  server.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return;
    const message = `There is nothing at ${request.method} ${request.url.split('?')[0]}; ${places}`;
    return refuse(reply, { code: 'NOT_FOUND', message }, spellingFor(request, doors));
  });
}

/** Tells where the doors are. */
function registerFrontPage(server: FastifyInstance, doors: readonly Door[]): void {
  const addresses = Object.assign({}, ...doors.map((door) => door.addresses));
  server.get('/', async () => ({
    name: 'Modelgraph',
    ...addresses,
    health: ['/health/live', '/health/ready'],
  }));
}

/** Credentials travel in a header that a page sends itself: cookies are neither read nor allowed. */
function corsOf(origins: '*' | readonly string[]) {
  return {
    origin: origins === '*' ? '*' : [...origins],
    methods: ['GET', 'POST'],
    exposedHeaders: ['x-request-id', 'retry-after'],
    maxAge: 86_400,
  };
}

/** What never comes to a route (no good credential, a body that is no JSON, or too large) is told in the same form as what does. */
function refuseFaults({ callerErrors, doors }: ServerOptions) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const { statusCode: status = 500, message } = error;
    const refusal: Refusal =
      status < 500 ? { code: 'BAD_REQUEST', message, status } : callerErrors.told(error, request.id);
    return refuse(reply, refusal, spellingFor(request, doors));
  };
}

function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID();
}

/** What an operator can mend is said without a stack. */
function explainAddress(error: NodeJS.ErrnoException): never {
  if (error.code === 'EADDRINUSE') {
    throw new StartError(
      `PORT: ${error.message.replace(/^listen EADDRINUSE: /, '')}; stop what uses it, or choose another`,
    );
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'EACCES' || error.code === 'ENOTFOUND') {
    throw new StartError(`HOST, PORT: this machine cannot listen there (${error.message})`);
  }
  throw error;
}
