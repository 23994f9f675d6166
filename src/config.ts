// Owns the environment: parsed once, with every mistake named at start. `.env` fills in what the real environment leaves open.
import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { z } from 'zod';
import { StartError } from './kernel/errors.ts';
import { Secret } from './kernel/secret.ts';

const text = z.string().trim().min(1);
const optionalText = text.optional();
const secret = text.transform((value) => new Secret(value));
const port = z.coerce.number().int().min(0).max(65_535);
const milliseconds = z.coerce.number().int().min(0).max(86_400_000);
const count = z.coerce.number().int().min(1).max(1_000_000_000);
const flag = z.enum(['on', 'off']);

const environmentSchema = z.object({
  NODE_ENV: z.enum(['development', 'production', 'test']).default('development'),
  HOST: text.default('127.0.0.1'),
  PORT: port.default(4000),
  DATA_DIR: text.default('./data'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must be a postgresql:// URL')
    .transform((value) => new Secret(value))
    .optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must be a redis:// URL')
    .transform((value) => new Secret(value))
    .optional(),
  WORKERS: z.coerce.number().int().min(1).max(256).default(1),
  BOOTSTRAP_API_KEY: z
    .string()
    .trim()
    .min(16, 'must have at least 16 characters')
    .transform((value) => new Secret(value))
    .optional(),
  SECRET_KEYS: secret.optional(),
  PRIVATE_UPSTREAMS: optionalText,
  EVENT_RETENTION_SECONDS: z.coerce.number().int().min(1).max(86_400).default(900),
  EVENT_DURABILITY: z.enum(['relaxed', 'strict']).default('relaxed'),
  EVENT_LOG_MAX_MB: z.coerce.number().int().min(1).max(65_536).default(256),
  HEALTH_CHECK_SECONDS: z.coerce.number().int().min(0).max(86_400).optional(),
  MODEL_SYNC_HOURS: z.coerce.number().min(0).max(8_760).optional(),
  CATALOGUE_REFRESH: flag.default('on'),
  CATALOGUE_REFRESH_HOURS: z.coerce.number().min(0).max(8_760).optional(),
  MODELS_DEV_URL: z.url().default('https://models.dev/api.json'),
  OPENROUTER_MODELS_URL: z.url().default('https://openrouter.ai/api/v1/models'),
  MAX_ATTEMPTS: z.coerce.number().int().min(1).max(10).default(6),
  MAX_ATTEMPTS_PER_INSTANCE: z.coerce.number().int().min(1).max(10).default(3),
  RETRY_PATIENCE_MS: milliseconds.default(3_000),
  CIRCUIT_BREAKER: flag.default('on'),
  CIRCUIT_FAILURES: z.coerce.number().int().min(1).max(1_000).default(5),
  CIRCUIT_WINDOW: z.coerce.number().int().min(2).max(1_000).default(20),
  CIRCUIT_SLOW_MS: milliseconds.default(60_000),
  CIRCUIT_OPEN_MS: z.coerce.number().int().min(100).max(600_000).default(5_000),
  ADAPTERS: z.string().trim().default(''),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  SANDBOX: flag.optional(),
  OLLAMA_HOST: optionalText,
  OLLAMA_BASE_URL: optionalText,
  EXPLORER: flag.optional(),
  INTROSPECTION: flag.optional(),
  LEASE_SECONDS: z.coerce.number().min(1).max(600).default(10),
  DRAIN_GRACE_MS: milliseconds.default(25_000),
  DATABASE_CONNECTIONS: z.coerce.number().int().min(1).max(500).default(10),
  DATABASE_ACQUIRE_TIMEOUT_MS: milliseconds.default(5_000),
  DATABASE_STATEMENT_TIMEOUT_MS: milliseconds.default(15_000),
  MAX_MESSAGES: count.default(2_000),
  MAX_TOOLS: count.default(256),
  MAX_TEXT_CHARACTERS: count.default(8_000_000),
  MAX_IMAGE_CHARACTERS: count.default(28_000_000),
  SLOW_READER_MS: z.coerce.number().int().min(100).max(3_600_000).default(30_000),
  MAX_QUERY_DEPTH: z.coerce.number().int().min(1).max(1_000).default(15),
  MAX_QUERY_ALIASES: z.coerce.number().int().min(0).max(100_000).default(100),
  MAX_QUERY_COST: z.coerce.number().int().min(1).max(1_000_000_000).default(25_000),
  MAX_QUERY_TOKENS: count.default(10_000),
  MAX_CONNECTIONS: count.default(20_000),
  BATCHING: flag.default('off'),
  PERSISTED_OPERATIONS: optionalText,
  PERSISTED_ONLY: flag.default('off'),
  CORS_ORIGINS: optionalText,
  MAX_BODY_MB: z.coerce.number().int().min(1).max(512).default(32),
});

export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly databaseUrl: Secret | undefined;
  readonly redisUrl: Secret | undefined;
  readonly workers: number;
  readonly bootstrapApiKey: Secret | undefined;
  readonly secretKeys: Secret | undefined;
  /** `allow`, `deny`, or CIDRs. */
  readonly privateUpstreams: 'allow' | 'deny' | readonly string[];
  readonly eventRetentionMs: number;
  readonly eventLogMaxBytes: number;
  /** Whether an event is shown only when Redis has it. */
  readonly strictEvents: boolean;
  /** How old what is known of configs and models may become; 0: it is looked after on demand only. */
  readonly upkeep: {
    readonly healthCheckSeconds: number;
    readonly modelSyncSeconds: number;
    readonly catalogueRefreshSeconds: number;
  };
  /** What holds where neither a call nor a config nor an instance says otherwise. */
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
  /** Where public lists of models and prices are; `undefined` if they are not to be asked. */
  readonly catalogueUrls: { readonly 'models.dev': string; readonly openrouter: string } | undefined;
  /** Packages or paths of further adapters. */
  readonly adapters: readonly string[];
  readonly logLevel: string;
  readonly sandbox: boolean;
  /** Whether to look for an Ollama at start. */
  readonly findOllama: boolean;
  readonly explorer: boolean;
  readonly introspection: boolean;
  /** Bounds on one operation, before it is executed. */
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
  /** Bounds on one completion request. */
  readonly requestBounds: {
    readonly maxMessages: number;
    readonly maxTools: number;
    readonly maxTextLength: number;
    readonly maxImageLength: number;
  };
  /** The environment as it stands, for provider credentials that are kept by reference. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export class ConfigError extends StartError {
  override readonly name = 'ConfigError';
}

/** Reads `.env` beside the process, if there is one; what is already set wins. */
export function loadEnvironmentFile(path = '.env'): void {
  if (existsSync(path)) loadEnvFile(path);
}

/** Raises `ConfigError` that names every variable that is wrong, and how. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
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
    workers: values.WORKERS,
    bootstrapApiKey: values.BOOTSTRAP_API_KEY,
    secretKeys: values.SECRET_KEYS,
    privateUpstreams: readPrivateUpstreams(values.PRIVATE_UPSTREAMS, production),
    eventRetentionMs: values.EVENT_RETENTION_SECONDS * 1_000,
    strictEvents: values.EVENT_DURABILITY === 'strict',
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
    requestBounds: {
      maxMessages: values.MAX_MESSAGES,
      maxTools: values.MAX_TOOLS,
      maxTextLength: values.MAX_TEXT_CHARACTERS,
      maxImageLength: values.MAX_IMAGE_CHARACTERS,
    },
    environment,
  };
}

/** Tests ask for what they want to happen. */
function readUpkeep(values: z.infer<typeof environmentSchema>): Config['upkeep'] {
  const unlessTest = (value: number) => (values.NODE_ENV === 'test' ? 0 : value);
  const seconds = (hours: number) => Math.round(hours * 3_600);
  return {
    healthCheckSeconds: values.HEALTH_CHECK_SECONDS ?? unlessTest(300),
    modelSyncSeconds: seconds(values.MODEL_SYNC_HOURS ?? unlessTest(24)),
    catalogueRefreshSeconds:
      values.CATALOGUE_REFRESH === 'on' ? seconds(values.CATALOGUE_REFRESH_HOURS ?? unlessTest(24)) : 0,
  };
}

function requireInProduction(production: boolean, values: z.infer<typeof environmentSchema>): void {
  const missing = (['BOOTSTRAP_API_KEY', 'SECRET_KEYS'] as const).filter(
    (name) => production && !values[name],
  );
  if (missing.length > 0) throw new ConfigError(`In production these must be set: ${missing.join(', ')}`);
  if (values.WORKERS > 1 && !(values.DATABASE_URL && values.REDIS_URL)) {
    throw new ConfigError('WORKERS: more than one process needs DATABASE_URL and REDIS_URL');
  }
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
