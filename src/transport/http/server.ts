// Owns the HTTP server: one Fastify instance with every door on it, what the doors share, and the order in which they close.
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
  /** A request for a path of no door is refused in the form of the first door. */
  readonly doors: readonly [Door, ...Door[]];
  readonly signIn: SignInOptions;
  readonly readiness: Readiness;
  readonly callerErrors: CallerErrors;
  readonly logger: Logger;
  readonly maxBodyBytes: number;
  /** How long, in milliseconds, a client of a stream may leave sent data unread. */
  readonly slowReaderMs: number;
  /** Origins whose pages may call the gateway; `undefined`: only the gateway's own. */
  readonly corsOrigins: '*' | readonly string[] | undefined;
  readonly maxConnections: number;
}

export interface RunningServer {
  /** `http://host:port`. */
  readonly url: string;
  /** Tells clients of open streams to reconnect elsewhere, and refuses new streams; does not wait for them. Requests under way are still answered. */
  detachReaders(): void;
  /** Closes in bounded time: requests that are not answered by then are cut off. */
  close(): Promise<void>;
}

/** Unfinished bodies may together take this many times the size of the largest body. */
const BODIES_AT_ONCE = 2;
const REQUEST_ID = /^[\w.:-]{1,128}$/;
/** How long, in milliseconds, a client may take to send its request; streams and long answers are not bounded by it. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How long, in milliseconds, requests under way may take when the server closes. */
const LAST_ANSWERS_MS = 2_000;

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { doors, logger, maxBodyBytes } = options;
  const server = Fastify({
    bodyLimit: maxBodyBytes,
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    routerOptions: { ignoreTrailingSlash: true },
    forceCloseConnections: 'idle',
    // Fastify's own answer would not be in the form of any door.
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
    // Clients that keep connections open then send their next request to another node.
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

/** Opens each door in a Fastify scope of its own, so that its hooks hold for its own routes only. */
async function openDoors(
  server: FastifyInstance,
  { doors, corsOrigins }: ServerOptions,
  supplies: DoorSupplies,
): Promise<OpenedDoor[]> {
  for (const door of doors) door.registerPages?.(server);
  const opened: OpenedDoor[] = [];
  // Pages of other origins may read the answers of the doors' routes, and nothing else, in particular not the explorer's sign-in.
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

/** The form of the door whose path the request has, even if there is no route for it. */
function spellingFor({ url }: FastifyRequest, doors: ServerOptions['doors']): SpellRefusal {
  const path = url.split('?')[0] ?? '';
  const isOf = (each: string) => path === each || path.startsWith(`${each}/`);
  return (doors.find(({ paths }) => paths.some(isOf)) ?? doors[0]).spell;
}

/** Refuses requests for unknown paths before their bodies are read. */
function refuseUnknownPaths(server: FastifyInstance, doors: ServerOptions['doors']): void {
  const places = doors.map(({ name, paths }) => `${name} is at ${paths[0]}`).join(', ');
  server.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return;
    const message = `There is nothing at ${request.method} ${request.url.split('?')[0]}; ${places}`;
    return refuse(reply, { code: 'NOT_FOUND', message }, spellingFor(request, doors));
  });
}

/** Serves a page at `/` that names the doors' addresses. */
function registerFrontPage(server: FastifyInstance, doors: readonly Door[]): void {
  const addresses = Object.assign({}, ...doors.map((door) => door.addresses));
  server.get('/', async () => ({
    name: 'Modelgraph',
    ...addresses,
    health: ['/health/live', '/health/ready'],
  }));
}

/** A page sends its credential in a header, so cookies are neither read nor allowed. */
function corsOf(origins: '*' | readonly string[]) {
  return {
    origin: origins === '*' ? '*' : [...origins],
    methods: ['GET', 'POST'],
    exposedHeaders: ['x-request-id', 'retry-after'],
    maxAge: 86_400,
  };
}

/** Refuses requests that reach no route (a bad credential, a body that is not JSON or is too large) in the same form as the routes do. */
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

/** Faults of the listening address that an operator can correct are told without a stack. */
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
