import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const SRC = 'src';

/** Who may import what: folders of src, and packages. `types:` marks what may be imported as types only. */
const DOMAIN_BASE = ['kernel', 'storage', 'types:providers/contract', 'types:coordination/contract'];
const RULES: Readonly<Record<string, readonly string[]>> = {
  kernel: ['node:'],
  providers: ['kernel', 'node:', 'undici', 'zod', '@smithy/', 'gpt-tokenizer'],
  storage: ['kernel', 'node:', 'migrations', '@mikro-orm/', 'pg', '@electric-sql/pglite'],
  // Listeners of the port in `kernel`; each brings its own library.
  telemetry: ['kernel'],
  coordination: ['kernel', 'node:'],
  'coordination/redis': ['kernel', 'coordination', 'node:', 'ioredis'],
  configuration: ['kernel', 'zod', 'node:'],
  'domain/identity': [...DOMAIN_BASE, 'node:', 'jose'],
  'domain/catalogue': [...DOMAIN_BASE, 'domain/identity', 'node:', 'ajv', 'zod'],
  'domain/routing': [...DOMAIN_BASE, 'domain/identity', 'domain/catalogue', 'node:'],
  'domain/billing': [
    ...DOMAIN_BASE,
    'domain/identity',
    'domain/catalogue',
    'node:',
    'gpt-tokenizer',
    '@pydantic/genai-prices',
  ],
  'domain/runs': [
    ...DOMAIN_BASE,
    'domain/identity',
    'domain/catalogue',
    'domain/routing',
    'domain/billing',
    'node:',
  ],
  'domain/completions': [...DOMAIN_BASE, 'domain', 'node:'],
  'domain/gateway.ts': ['domain'],
  graphql: ['domain', 'kernel', 'node:', 'type-graphql', 'graphql', 'dataloader', 'reflect-metadata'],
  // What all doors share. It knows none of them, and no graph.
  'transport/http': ['domain', 'kernel', 'node:', 'fastify', '@fastify/cors', '@fastify/proxy-addr'],
  // No door imports another, and none but this one the graph.
  'transport/graphql': [
    'transport/http',
    'graphql',
    'domain',
    'kernel',
    'node:',
    'fastify',
    '@apollo/server',
    '@as-integrations/fastify',
    'graphql-ws',
    'ws',
    'altair-static',
    'zod',
  ],
  // Runs in browsers too: nothing of the gateway's own, and no builtins of Node.
  client: ['graphql-ws'],
  // The only places that construct anything.
  'app.ts': ['assembly', 'kernel', 'storage', 'domain', 'configuration', 'node:', 'pino'],
  assembly: [
    'kernel',
    'providers',
    'storage',
    'coordination',
    'telemetry',
    'domain',
    'graphql',
    'transport',
    'configuration',
    'node:',
    'pino',
  ],
  'main.ts': ['app.ts', 'configuration', 'kernel', 'node:'],
  commands: ['assembly', 'configuration', 'kernel', 'storage', 'domain', 'graphql', 'node:'],
};
const IMPORT =
  /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*[,)]/gm;

interface Import {
  readonly from: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

const files = sourceFiles(SRC);
const texts = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
const imports = files.flatMap((file) => importsOf(file, texts.get(file) ?? ''));

describe('layers and files', () => {
  test('the architecture test reads every source file', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(imports.length).toBeGreaterThan(files.length);
  });

  test('a folder imports only what its table lists', () => {
    const breaches = imports
      .filter((each) => !isAllowed(each))
      .map(({ from, target }) => `${from} → ${target}`);
    expect(breaches).toEqual([]);
  });

  test('no door imports another: what they share knows none of them, and one alone knows the graph', () => {
    const breaches = imports.filter(({ from, target }) => {
      const [, door] = /^src\/transport\/([^/]+)\//.exec(from) ?? [];
      const [, room] = /^src\/(graphql|transport\/[^/]+)\//.exec(target) ?? [];
      if (door === undefined || room === undefined) return false;
      if (room === 'graphql') return door !== 'graphql';
      return room !== `transport/${door}` && room !== 'transport/http';
    });
    expect(breaches).toEqual([]);
  });

  test('no import goes round in a cycle', () => {
    expect(cyclesOf(imports)).toEqual([]);
  });

  test('no file is a barrel or has a default export', () => {
    const barrels = files.filter(
      (file) => file.endsWith('/index.ts') || /^export \* from/m.test(texts.get(file) ?? ''),
    );
    const defaults = files.filter((file) => /^export default/m.test(texts.get(file) ?? ''));
    expect([...barrels, ...defaults]).toEqual([]);
  });

  test('only main.ts listens to the process', () => {
    expect(files.filter((file) => /\bprocess\.on(ce)?\(/.test(texts.get(file) ?? ''))).toEqual([
      'src/main.ts',
    ]);
  });

  test('each source file says at its head what it owns', () => {
    expect(files.filter((file) => !texts.get(file)?.startsWith('// Owns '))).toEqual([]);
  });

  test('each rim folder opens with a contract that imports no library', () => {
    for (const contract of ['src/providers/contract/', 'src/coordination/contract.ts']) {
      const libraries = imports.filter(({ from, target }) => from.startsWith(contract) && isPackage(target));
      expect(libraries).toEqual([]);
    }
  });

  test('no code outside a provider’s folder calls a provider by name', () => {
    expect(files.filter((file) => /switch \((\w+\.)*provider(Key)?\)/.test(texts.get(file) ?? ''))).toEqual(
      [],
    );
  });
});

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('admin'))
    .map((name) => join(folder, name))
    .sort();
}

function importsOf(file: string, text: string): Import[] {
  return [...text.matchAll(IMPORT)].map(([, type, stated, dynamic]) => {
    const specifier = stated ?? dynamic ?? '';
    const target = specifier.startsWith('.') ? relative('.', resolve(dirname(file), specifier)) : specifier;
    return { from: file, target, typeOnly: type !== undefined };
  });
}

function isPackage(target: string): boolean {
  return !target.startsWith('src/') && !target.startsWith('migrations/') && !target.startsWith('node:');
}

function isAllowed({ from, target, typeOnly }: Import): boolean {
  const inside = from.slice(SRC.length + 1);
  const owner = ownerOf(inside);
  const rules = RULES[owner];
  if (!rules) return false;
  if (target.startsWith(`src/${owner}`)) return true;
  const name = target.startsWith('src/') ? target.slice(SRC.length + 1) : target;
  return rules.some((rule) => {
    if (!rule.startsWith('types:')) return isWithin(name, rule, target);
    const room = rule.slice('types:'.length);
    return typeOnly && (name === `${room}.ts` || name.startsWith(`${room}/`));
  });
}

/** The most particular entry of the table that the file lies in. */
function ownerOf(path: string): string {
  const owners = Object.keys(RULES).filter((owner) => path === owner || path.startsWith(`${owner}/`));
  return owners.sort((a, b) => b.length - a.length)[0] ?? path;
}

function isWithin(name: string, rule: string, target: string): boolean {
  if (rule.endsWith(':') || rule.endsWith('/')) return name.startsWith(rule);
  // A folder and a package may share a name, as `graphql` does.
  const isFolder = readdirSync(SRC).includes(rule) || rule.includes('/');
  if (isFolder && target.startsWith('src/')) return name === rule || name.startsWith(`${rule}/`);
  return name === rule || name.startsWith(`${rule}/`);
}

function cyclesOf(all: readonly Import[]): string[] {
  const graph = Map.groupBy(
    all.filter(({ target }) => target.startsWith('src/')),
    ({ from }) => from,
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) cycles.push([...path.slice(at), file].join(' → '));
    if (at >= 0 || done.has(file)) return;
    for (const { target } of graph.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return cycles;
}
