// Owns the putting together of the doors: which there are, and the one server that they share.
import type { Services } from '../domain/gateway.ts';
import type { Authenticator } from '../domain/identity/authenticator.ts';
import { createErrorFormatter } from '../graphql/error-format.ts';
import { buildGraphSchema } from '../graphql/schema.ts';
import { CallerErrors } from '../kernel/caller-errors.ts';
import { createGraphqlDoor, GRAPHQL_PATH, type GraphqlDoor } from '../transport/graphql/graphql-door.ts';
import { PersistedOperations } from '../transport/graphql/persisted-operations.ts';
import type { Readiness } from '../transport/http/health.ts';
import { type RunningServer, startServer } from '../transport/http/server.ts';
import type { Foundation } from './foundation.ts';

export interface BehindDoors {
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly readiness: Readiness;
  readonly bootstrapKey: string;
}

export interface OpenDoors extends RunningServer {
  readonly graphqlPath: string;
  /** Where the explorer is, with a code that signs it in once if it may be; `undefined` if it is off. */
  readonly explorerUrl: string | undefined;
}

const LOOPBACK_ADDRESS = /^(localhost|127\.|::1$)/i;

export async function openDoors(
  { config, logger }: Pick<Foundation, 'config' | 'logger'>,
  behind: BehindDoors,
): Promise<OpenDoors> {
  const callerErrors = new CallerErrors(logger);
  const graph = graphqlDoor(config, callerErrors, behind);
  const server = await startServer({
    host: config.host,
    port: config.port,
    doors: [graph],
    signIn: {
      authenticator: behind.authenticator,
      failuresPerMinute: config.signInFailuresPerMinute,
      trustProxy: config.trustProxy,
      logger,
    },
    readiness: behind.readiness,
    callerErrors,
    logger,
    maxBodyBytes: config.maxBodyBytes,
    slowReaderMs: config.slowReaderMs,
    corsOrigins: config.corsOrigins,
    maxConnections: config.maxConnections,
  });
  const { explorerPath } = graph;
  return {
    ...server,
    graphqlPath: GRAPHQL_PATH,
    explorerUrl: explorerPath === undefined ? undefined : `${server.url}${explorerPath}`,
  };
}

function graphqlDoor(
  config: Foundation['config'],
  callerErrors: CallerErrors,
  { services, bootstrapKey }: BehindDoors,
): GraphqlDoor {
  // The link with the code is of use only where requests come from this machine, and a code would be known to one of several workers only.
  const mayLink = !config.production && config.workers === 1 && LOOPBACK_ADDRESS.test(config.host);
  const { persisted, ...operations } = config.operations;
  return createGraphqlDoor({
    ...operations,
    persisted: new PersistedOperations(persisted),
    schema: buildGraphSchema(),
    services,
    formatError: createErrorFormatter({ callerErrors, hideSchema: config.production }),
    introspection: config.introspection,
    explorer: config.explorer,
    ...(mayLink ? { explorerKey: bootstrapKey } : {}),
  });
}
