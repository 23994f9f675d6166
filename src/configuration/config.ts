// Owns the configuration: the environment's values, put together and checked against each other, every mistake named at start.
import type { JwtSettings } from '../kernel/jwt-settings.ts';
import { isScope, SCOPES } from '../kernel/scope.ts';
import type { Secret } from '../kernel/secret.ts';
import {
  ConfigError,
  type Environment,
  type EnvironmentValues,
  environmentSchema,
  withSecretFiles,
} from './environment.ts';

export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly databaseUrl: Secret | undefined;
  readonly redisUrl: Secret | undefined;
  /** How long a completion waits for an answer of Redis, in milliseconds. */
  readonly redisTimeoutMs: number;
  readonly workers: number;
  readonly bootstrapApiKey: Secret | undefined;
  readonly secretKeys: Secret | undefined;
  /** Absent where no JWTs are accepted beside API keys. */
  readonly jwt: JwtSettings | undefined;
  /** Which proxies may name a client's address: so many hops before the gateway, or those at the listed addresses; `false`: none. */
  readonly trustProxy: false | number | string[];
  readonly signInFailuresPerMinute: number;
  /** The limits of a key or member that has none of its own. */
  readonly defaultLimits: { readonly requestsPerMinute?: number };
  /** Whether workspaces pay from their accounts. */
  readonly billing: boolean;
  /** `allow`, `deny`, or CIDRs. */
  readonly privateUpstreams: 'allow' | 'deny' | readonly string[];
  readonly eventRetentionMs: number;
  readonly eventLogMaxBytes: number;
  /** Seconds between two searches for prompts and outputs that are older than their workspace keeps them. */
  readonly contentSweepSeconds: number;
  /** True: an event is shown only after Redis has stored it. */
  readonly strictEvents: boolean;
  /** How old the health, model lists and catalogue data may become before they are refreshed; 0: they are refreshed on demand only. */
  readonly upkeep: {
    readonly healthCheckSeconds: number;
    readonly modelSyncSeconds: number;
    readonly catalogueRefreshSeconds: number;
  };
  /** The values that hold where no call, config or instance sets its own. */
  readonly retries: {
    readonly maxAttempts: number;
    readonly maxAttemptsPerInstance: number;
    readonly patienceMs: number;
  };
  readonly circuits: {
    readonly enabled: boolean;
    readonly failuresInRow: number;
    readonly windowSize: number;
    readonly slowMs: number;
    readonly openMs: number;
  };
  /** Addresses of the public lists of models and prices; `undefined` if the gateway is not to read them. */
  readonly catalogueUrls: { readonly 'models.dev': string; readonly openrouter: string } | undefined;
  /** Packages or paths of further adapters. */
  readonly adapters: readonly string[];
  readonly logLevel: string;
  readonly sandbox: boolean;
  /** Whether to look for an Ollama at start. */
  readonly findOllama: boolean;
  readonly explorer: boolean;
  readonly introspection: boolean;
  /** Bounds on one GraphQL operation, checked before it is executed. */
  readonly operations: {
    readonly bounds: { readonly maxDepth: number; readonly maxAliases: number; readonly maxCost: number };
    readonly maxTokens: number;
    readonly batching: boolean;
    readonly persisted: { readonly file: string | undefined; readonly only: boolean };
  };
  readonly corsOrigins: '*' | readonly string[] | undefined;
  readonly maxConnections: number;
  /** How long a node may be silent before the others end its runs. */
  readonly leaseSeconds: number;
  readonly drainGraceMs: number;
  readonly database: {
    readonly connections: number;
    readonly acquireTimeoutMs: number;
    readonly statementTimeoutMs: number;
  };
  readonly maxBodyBytes: number;
  readonly slowReaderMs: number;
  /** The largest answer of a provider that is read. */
  readonly maxAnswerBytes: number;
  /** Bounds on one completion request. */
  readonly requestBounds: {
    readonly maxMessages: number;
    readonly maxTools: number;
    readonly maxTextLength: number;
    readonly maxImageLength: number;
  };
  /** The whole environment, for provider credentials that are stored as the name of a variable. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Raises `ConfigError` that names every variable that is wrong, and how. */
export function readConfig(given: Environment): Config {
  const environment = withSecretFiles(given);
  const set = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const parsed = environmentSchema.safeParse(set);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`The environment is not usable:\n${faults.join('\n')}`);
  }
  const values = parsed.data;
  const production = values.NODE_ENV === 'production';
  requireInProduction(production, values);
  return {
    production,
    host: values.HOST,
    port: values.PORT,
    dataDir: values.DATA_DIR,
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    redisTimeoutMs: values.REDIS_TIMEOUT_MS,
    workers: values.WORKERS,
    bootstrapApiKey: values.BOOTSTRAP_API_KEY,
    secretKeys: values.SECRET_KEYS,
    jwt: readJwt(values),
    trustProxy: readTrustProxy(values.TRUST_PROXY),
    signInFailuresPerMinute: values.SIGN_IN_FAILURES_PER_MINUTE,
    defaultLimits: readDefaultLimits(values.REQUESTS_PER_MINUTE ?? (production ? 60 : 0)),
    billing: values.BILLING === 'on',
    privateUpstreams: readPrivateUpstreams(values.PRIVATE_UPSTREAMS, production),
    eventRetentionMs: values.EVENT_RETENTION_SECONDS * 1_000,
    strictEvents: values.EVENT_DURABILITY === 'strict',
    contentSweepSeconds: values.CONTENT_SWEEP_SECONDS,
    eventLogMaxBytes: values.EVENT_LOG_MAX_MB * 1_048_576,
    upkeep: readUpkeep(values),
    retries: {
      maxAttempts: values.MAX_ATTEMPTS,
      maxAttemptsPerInstance: values.MAX_ATTEMPTS_PER_INSTANCE,
      patienceMs: values.RETRY_PATIENCE_MS,
    },
    circuits: {
      enabled: values.CIRCUIT_BREAKER === 'on',
      failuresInRow: values.CIRCUIT_FAILURES,
      windowSize: values.CIRCUIT_WINDOW,
      slowMs: values.CIRCUIT_SLOW_MS,
      openMs: values.CIRCUIT_OPEN_MS,
    },
    catalogueUrls:
      values.CATALOGUE_REFRESH === 'on'
        ? { 'models.dev': values.MODELS_DEV_URL, openrouter: values.OPENROUTER_MODELS_URL }
        : undefined,
    adapters: values.ADAPTERS.split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
    logLevel: values.LOG_LEVEL,
    sandbox: values.SANDBOX === undefined ? !production : values.SANDBOX === 'on',
    findOllama: Boolean(values.OLLAMA_HOST ?? values.OLLAMA_BASE_URL) || values.NODE_ENV === 'development',
    explorer: values.EXPLORER === undefined ? !production : values.EXPLORER === 'on',
    operations: {
      bounds: {
        maxDepth: values.MAX_QUERY_DEPTH,
        maxAliases: values.MAX_QUERY_ALIASES,
        maxCost: values.MAX_QUERY_COST,
      },
      maxTokens: values.MAX_QUERY_TOKENS,
      batching: values.BATCHING === 'on',
      persisted: { file: values.PERSISTED_OPERATIONS, only: values.PERSISTED_ONLY === 'on' },
    },
    corsOrigins: readOrigins(values.CORS_ORIGINS),
    maxConnections: values.MAX_CONNECTIONS,
    introspection: values.INTROSPECTION === undefined ? !production : values.INTROSPECTION === 'on',
    leaseSeconds: values.LEASE_SECONDS,
    drainGraceMs: values.DRAIN_GRACE_MS,
    database: {
      connections: values.DATABASE_CONNECTIONS,
      acquireTimeoutMs: values.DATABASE_ACQUIRE_TIMEOUT_MS,
      statementTimeoutMs: values.DATABASE_STATEMENT_TIMEOUT_MS,
    },
    slowReaderMs: values.SLOW_READER_MS,
    maxBodyBytes: values.MAX_BODY_MB * 1_048_576,
    maxAnswerBytes: values.MAX_ANSWER_MB * 1_048_576,
    requestBounds: {
      maxMessages: values.MAX_MESSAGES,
      maxTools: values.MAX_TOOLS,
      maxTextLength: values.MAX_TEXT_CHARACTERS,
      maxImageLength: values.MAX_IMAGE_CHARACTERS,
    },
    environment,
  };
}

/** Under test nothing is refreshed unasked, unless the test sets it. */
function readUpkeep(values: EnvironmentValues): Config['upkeep'] {
  const unlessTest = (value: number) => (values.NODE_ENV === 'test' ? 0 : value);
  const seconds = (hours: number) => Math.round(hours * 3_600);
  return {
    healthCheckSeconds: values.HEALTH_CHECK_SECONDS ?? unlessTest(300),
    modelSyncSeconds: seconds(values.MODEL_SYNC_HOURS ?? unlessTest(24)),
    catalogueRefreshSeconds:
      values.CATALOGUE_REFRESH === 'on' ? seconds(values.CATALOGUE_REFRESH_HOURS ?? unlessTest(24)) : 0,
  };
}

function requireInProduction(production: boolean, values: EnvironmentValues): void {
  const missing = (['BOOTSTRAP_API_KEY', 'SECRET_KEYS'] as const).filter(
    (name) => production && !values[name],
  );
  if (missing.length > 0) throw new ConfigError(`In production these must be set: ${missing.join(', ')}`);
  if (values.WORKERS > 1 && !(values.DATABASE_URL && values.REDIS_URL)) {
    throw new ConfigError('WORKERS: more than one process needs DATABASE_URL and REDIS_URL');
  }
}

const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'];
const KEY_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
];

function readJwt(values: EnvironmentValues): JwtSettings | undefined {
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWKS_URL: jwksUrl, JWT_SECRET: secret } = values;
  if (jwksUrl === undefined && secret === undefined) {
    if (issuer === undefined && audience === undefined) return undefined;
    throw new ConfigError('JWKS_URL, JWT_SECRET: one of them is needed to check the tokens of JWT_ISSUER');
  }
  if (jwksUrl !== undefined && secret !== undefined) {
    throw new ConfigError('JWKS_URL, JWT_SECRET: set only one of them');
  }
  if (issuer === undefined || audience === undefined) {
    throw new ConfigError('JWT_ISSUER, JWT_AUDIENCE: both are needed to accept JWTs');
  }
  return {
    issuer,
    audience,
    key: secret === undefined ? { jwksUrl: jwksUrl ?? '' } : { secret },
    algorithms: readAlgorithms(values.JWT_ALGORITHMS, secret !== undefined),
    workspaceClaim: values.JWT_WORKSPACE_CLAIM,
    defaultWorkspace: values.JWT_DEFAULT_WORKSPACE,
    rolesClaim: values.JWT_ROLES_CLAIM,
    roles: readRoles(values.JWT_ROLES),
  };
}

function readAlgorithms(value: string | undefined, bySecret: boolean): string[] {
  const possible = bySecret ? SECRET_ALGORITHMS : KEY_ALGORITHMS;
  if (value === undefined) return bySecret ? ['HS256'] : ['RS256', 'ES256', 'EdDSA'];
  const named = value.split(',').map((each) => each.trim());
  const wrong = named.find((each) => !possible.includes(each));
  if (wrong === undefined) return named;
  throw new ConfigError(`JWT_ALGORITHMS: "${wrong}" is none of ${possible.join(', ')}`);
}

/** Reads `role=scope+scope,role=scope`. */
function readRoles(value: string | undefined): JwtSettings['roles'] {
  if (value === undefined) return new Map(SCOPES.map((scope) => [scope, [scope]]));
  return new Map(
    value.split(',').map((entry) => {
      const [role = '', scopes = ''] = entry.split('=').map((each) => each.trim());
      const named = scopes.split('+').map((each) => each.trim());
      if (role === '' || !named.every(isScope)) {
        throw new ConfigError(
          `JWT_ROLES: "${entry}" must be <role>=<scope>+<scope> with scopes of ${SCOPES.join(', ')}`,
        );
      }
      return [role, named];
    }),
  );
}

function readTrustProxy(value: string | undefined): Config['trustProxy'] {
  if (value === undefined) return false;
  return /^\d+$/.test(value) ? Number(value) : value.split(',').map((each) => each.trim());
}

function readDefaultLimits(requestsPerMinute: number): Config['defaultLimits'] {
  return requestsPerMinute === 0 ? {} : { requestsPerMinute };
}

function readOrigins(value: string | undefined): Config['corsOrigins'] {
  if (value === undefined || value === '*') return value;
  return value.split(',').map((origin) => origin.trim());
}

function readPrivateUpstreams(value: string | undefined, production: boolean): Config['privateUpstreams'] {
  if (value === undefined) return production ? 'deny' : 'allow';
  if (value === 'allow' || value === 'deny') return value;
  return value.split(',').map((entry) => entry.trim());
}
