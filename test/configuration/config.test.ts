import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/configuration/config.ts';
import { loadEnvironmentFile } from '../../src/configuration/environment.ts';

const PRODUCTION = {
  NODE_ENV: 'production',
  BOOTSTRAP_API_KEY: 'mg_0123456789abcdef',
  SECRET_KEYS: `k1:${Buffer.alloc(32).toString('base64')}`,
};

describe('environment variables', () => {
  test('the configuration has a default for everything in development', () => {
    expect(readConfig({})).toMatchObject({
      production: false,
      host: '127.0.0.1',
      port: 4000,
      dataDir: './data',
      privateUpstreams: 'allow',
      sandbox: true,
      explorer: true,
      introspection: true,
      findOllama: true,
    });
  });

  test('the configuration is careful in production', () => {
    expect(readConfig(PRODUCTION)).toMatchObject({
      privateUpstreams: 'deny',
      sandbox: false,
      explorer: false,
      introspection: false,
      findOllama: false,
    });
    expect(
      readConfig({ ...PRODUCTION, EXPLORER: 'on', PRIVATE_UPSTREAMS: '10.0.0.0/8, fd00::/8' }),
    ).toMatchObject({
      explorer: true,
      privateUpstreams: ['10.0.0.0/8', 'fd00::/8'],
    });
  });

  test('the configuration’s error names every variable that is wrong, at once', () => {
    const wrong = { PORT: 'x', DATABASE_URL: 'mysql://a', EXPLORER: 'yes', BOOTSTRAP_API_KEY: 'short' };
    expect(() => readConfig(wrong)).toThrow(
      /PORT: [\s\S]*DATABASE_URL: [\s\S]*BOOTSTRAP_API_KEY: [\s\S]*EXPLORER: /,
    );
  });

  test('the configuration’s error names what production lacks, and what several processes need', () => {
    expect(() => readConfig({ NODE_ENV: 'production' })).toThrow('BOOTSTRAP_API_KEY, SECRET_KEYS');
    expect(() => readConfig({ WORKERS: '2' })).toThrow(/WORKERS: .* DATABASE_URL and REDIS_URL/);
  });

  test('the configuration takes an empty variable as one that is not set', () => {
    expect(readConfig({ PORT: ' ', DATABASE_URL: '' })).toMatchObject({ port: 4000, databaseUrl: undefined });
  });

  test('the configuration shows no secret when it is printed', () => {
    const { bootstrapApiKey, secretKeys } = readConfig(PRODUCTION);
    expect(JSON.stringify({ bootstrapApiKey, secretKeys })).not.toContain('0123456789abcdef');
    expect(String(bootstrapApiKey)).not.toContain('0123456789abcdef');
  });

  test('the configuration reads .env beside the process, under the real environment', () => {
    const folder = mkdtempSync(join(tmpdir(), 'modelgraph-env-'));
    process.env.MODELGRAPH_TEST_SET = 'environment';
    writeFileSync(join(folder, '.env'), 'MODELGRAPH_TEST_SET=file\nMODELGRAPH_TEST_OPEN=file\n');
    loadEnvironmentFile(join(folder, '.env'));
    expect([process.env.MODELGRAPH_TEST_SET, process.env.MODELGRAPH_TEST_OPEN]).toEqual([
      'environment',
      'file',
    ]);
    delete process.env.MODELGRAPH_TEST_SET;
    delete process.env.MODELGRAPH_TEST_OPEN;
    rmSync(folder, { recursive: true });
  });

  test('the configuration has each of its names in .env.example', () => {
    const source = readFileSync('src/configuration/environment.ts', 'utf8');
    const schema = source.slice(source.indexOf('z.object({'), source.indexOf('\n});'));
    const names = [...schema.matchAll(/^ {2}([A-Z_]+):/gm)].map(([, name]) => name ?? '');
    const example = readFileSync('.env.example', 'utf8');
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !new RegExp(`^# ${name}=`, 'm').test(example))).toEqual([]);
  });
});
