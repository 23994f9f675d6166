// Owns the assembly of the doors: which there are, and the one server that they share.
import type { Config } from '../configuration/config.ts';
import type { Services } from '../domain/gateway.ts';
import { createErrorFormatter } from '../graphql/error-format.ts';
import { buildGraphSchema } from '../graphql/schema.ts';
import { CallerErrors } from '../kernel/caller-errors.ts';
import { createGraphqlDoor, GRAPHQL_PATH, type GraphqlDoor } from '../transport/graphql/graphql-door.ts';
import { PersistedOperations } from '../transport/graphql/persisted-operations.ts';
import { startServer } from '../transport/http/server.ts';
import type { Basics } from './basics.ts';
import type { Gateway } from './gateway.ts';

export interface OpenDoors {
  /** `http://host:port`. */
  readonly url: string;
  readonly graphqlPath: string;
  /** Address of the explorer, with a code that signs its first user in where that is allowed; `undefined` if the explorer is off. */
  readonly explorerUrl: string | undefined;
}

const LOOPBACK_ADDRESS = /^(localhost|127\.|::1$)/i;

export async function openDoors(
  config: Config,
  { logger, parts }: Pick<Basics, 'logger' | 'parts'>,
  { services, authenticator, readiness }: Gateway,
  bootstrapKey: string,
): Promise<OpenDoors> {
  const callerErrors = new CallerErrors(logger);
  const graph = graphqlDoor(config, { services, callerErrors, bootstrapKey });
  const server = await startServer({
    host: config.host,
    port: config.port,
    doors: [graph],
    signIn: {
      authenticator,
      failuresPerMinute: config.signInFailuresPerMinute,
      trustProxy: config.trustProxy,
      logger,
    },
    readiness,
    callerErrors,
    logger,
    maxBodyBytes: config.maxBodyBytes,
    slowReaderMs: config.slowReaderMs,
    corsOrigins: config.corsOrigins,
    maxConnections: config.maxConnections,
  });
  parts.add('doors', () => server.close());
  parts.add('readers', () => server.detachReaders());
  const { explorerPath } = graph;
  return {
    url: server.url,
    graphqlPath: GRAPHQL_PATH,
    explorerUrl: explorerPath === undefined ? undefined : `${server.url}${explorerPath}`,
  };
}

interface GraphqlDoorNeeds {
  readonly services: Services;
  readonly callerErrors: CallerErrors;
  readonly bootstrapKey: string;
}

function graphqlDoor(config: Config, needs: GraphqlDoorNeeds): GraphqlDoor {
  const { services, callerErrors, bootstrapKey } = needs;
  // The link with the code is given only where requests come from this machine, and with one worker only: other workers would not know the code.
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
