// Owns the variables of the environment: the form and default of each, and secrets that are given as files.
import { existsSync, readFileSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { z } from 'zod';
import { StartError } from '../kernel/errors.ts';
import { Secret } from '../kernel/secret.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
export type EnvironmentValues = z.infer<typeof environmentSchema>;

export class ConfigError extends StartError {
  override readonly name = 'ConfigError';
}

const text = z.string().trim().min(1);
const optionalText = text.optional();
const secret = text.transform((value) => new Secret(value));
const port = z.coerce.number().int().min(0).max(65_535);
const milliseconds = z.coerce.number().int().min(0).max(86_400_000);
const count = z.coerce.number().int().min(1).max(1_000_000_000);
const flag = z.enum(['on', 'off']);

export const environmentSchema = z.object({
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
  REDIS_TIMEOUT_MS: z.coerce.number().int().min(10).max(60_000).default(50),
  WORKERS: z.coerce.number().int().min(1).max(256).default(1),
  BOOTSTRAP_API_KEY: z
    .string()
    .trim()
    .min(16, 'must have at least 16 characters')
    .transform((value) => new Secret(value))
    .optional(),
  SECRET_KEYS: secret.optional(),
  JWT_ISSUER: optionalText,
  JWT_AUDIENCE: optionalText,
  JWKS_URL: z.url().optional(),
  JWT_SECRET: z
    .string()
    .min(32, 'must have at least 32 characters')
    .transform((value) => new Secret(value))
    .optional(),
  JWT_ALGORITHMS: optionalText,
  JWT_WORKSPACE_CLAIM: text.default('workspace'),
  JWT_DEFAULT_WORKSPACE: optionalText,
  JWT_ROLES_CLAIM: text.default('roles'),
  JWT_ROLES: optionalText,
  TRUST_PROXY: optionalText,
  SIGN_IN_FAILURES_PER_MINUTE: z.coerce.number().int().min(0).max(1_000_000).default(30),
  REQUESTS_PER_MINUTE: z.coerce.number().int().min(0).max(1_000_000_000).optional(),
  BILLING: flag.default('off'),
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
  CONTENT_SWEEP_SECONDS: z.coerce.number().int().min(1).max(86_400).default(60),
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
  MAX_ANSWER_MB: z.coerce.number().int().min(1).max(128).default(16),
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

/** Reads `.env` in the working directory, if there is one; variables that are set already keep their values. */
export function loadEnvironmentFile(path = '.env'): void {
  if (existsSync(path)) loadEnvFile(path);
}

/**
 * Matches names that hold secrets: the gateway's own, and the usual ones of providers' credentials. `AWS_WEB_IDENTITY_TOKEN_FILE` is left out: AWS
 * itself means a file by it, which its code reads again whenever the file changes.
 */
const SECRET_NAME =
  /^(?!AWS_WEB_IDENTITY_TOKEN$).*(_KEYS?|_TOKEN|_SECRET|_PASSWORD|_CREDENTIALS)$|^(DATABASE|REDIS)_URL$/;
const FILE_SUFFIX = '_FILE';

/** Each secret `NAME` can be given as `NAME_FILE`, the path of a file that holds it. Raises `ConfigError` that names the variable. */
export function withSecretFiles(environment: Environment): Environment {
  const read: Record<string, string> = {};
  for (const [variable, path] of Object.entries(environment)) {
    const name = variable.slice(0, -FILE_SUFFIX.length);
    if (!variable.endsWith(FILE_SUFFIX) || !SECRET_NAME.test(name) || !path?.trim()) continue;
    if (environment[name]?.trim()) {
      throw new ConfigError(`${variable}: ${name} is set as well; keep one of them`);
    }
    try {
      read[name] = readFileSync(path, 'utf8').trim();
    } catch (error) {
      throw new ConfigError(`${variable}: the file could not be read (${(error as Error).message})`);
    }
    if (read[name] === '') throw new ConfigError(`${variable}: the file "${path}" is empty`);
  }
  return { ...environment, ...read };
}
