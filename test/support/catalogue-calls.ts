// Owns the catalogue's operations as the tests call them, in one workspace with one key.
import type { GraphAnswer, TestApp } from './app.ts';

export interface Problem {
  readonly field: readonly string[];
  readonly message: string;
  readonly code: string;
}

export interface CatalogueCalls {
  run(query: string, variables?: Record<string, unknown>): Promise<GraphAnswer>;
  /** The changed object and the problems of `<operation><Entity>`. */
  mutate(name: string, input: Record<string, unknown>): Promise<{ row: any; problems: readonly Problem[] }>;
  /** The paths and codes of the problems; the call must have failed. */
  refused(name: string, input: Record<string, unknown>): Promise<string[]>;
  provider(over?: Record<string, unknown>): Promise<any>;
  config(over?: Record<string, unknown>): Promise<any>;
  model(over?: Record<string, unknown>): Promise<any>;
  instance(over?: Record<string, unknown>): Promise<any>;
}

const FIELDS: Readonly<Record<string, string>> = {
  ProviderSpec: 'id key version owner enabled displayName baseUrl protocol editedFields createdAt updatedAt',
  ProviderConfig:
    'id name version providerKey baseUrl hasSecret secretHint secretEnv hasHeaders settings enabled health { state } timeLimits { connectMs totalMs }',
  ModelSpec:
    'id canonicalId version owner displayName contextLength capabilities tags available customFields editedFields price { input output source owner }',
  ModelInstance:
    'id slug version displayName canonicalId priority weight tags defaultParameters customFields free enabled timeLimits { totalMs }',
};

let serial = 0;

export function catalogueCalls(app: TestApp, key: string): CatalogueCalls {
  const run: CatalogueCalls['run'] = (query, variables = {}) => app.graph(query, variables, key);
  const mutate: CatalogueCalls['mutate'] = async (name, input) => {
    const entity = name === 'setPrice' ? 'ModelSpec' : name.replace(/^(create|update|delete)/, '');
    const field = entity.charAt(0).toLowerCase() + entity.slice(1);
    const inputType = name.startsWith('delete')
      ? 'DeleteRowInput'
      : `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const answer = await run(
      `mutation ($input: ${inputType}!) { ${name}(input: $input) { ${field} { ${FIELDS[entity]} } userErrors { field message code } } }`,
      { input },
    );
    if (answer.errors) {
      const [error] = answer.errors;
      throw Object.assign(new Error(error?.message), { code: error?.extensions.code });
    }
    return { row: answer.data[name][field], problems: answer.data[name].userErrors };
  };
  const made = async (name: string, input: Record<string, unknown>) => {
    const { row, problems } = await mutate(name, input);
    if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('; '));
    return row;
  };
  const calls: CatalogueCalls = {
    run,
    mutate,
    async refused(name, input) {
      const { row, problems } = await mutate(name, input);
      if (row !== null || problems.length === 0) throw new Error(`${name} was not refused`);
      return problems.map(({ field, code }) => `${field.join('.')} ${code}`);
    },
    provider: (over = {}) =>
      made('createProviderSpec', {
        key: `p${++serial}`,
        displayName: 'Provider',
        protocol: 'openai-chat',
        baseUrl: 'http://127.0.0.1:9/v1',
        ...over,
      }),
    config: async (over = {}) =>
      made('createProviderConfig', {
        name: `Config ${++serial}`,
        secret: 'sk-0123456789abcdef',
        ...('providerKey' in over || 'providerSpecId' in over
          ? {}
          : { providerKey: (await calls.provider()).key }),
        ...over,
      }),
    model: async (over = {}) =>
      made('createModelSpec', {
        key: `m${++serial}`,
        ...('providerKey' in over ? {} : { providerKey: (await calls.provider()).key }),
        ...over,
      }),
    async instance(over = {}) {
      const slug = `i${++serial}`;
      if ('configId' in over) return made('createModelInstance', { slug, ...over });
      const config = await calls.config();
      const { canonicalId } = await calls.model({ providerKey: config.providerKey });
      return made('createModelInstance', { slug, configId: config.id, canonicalId, ...over });
    },
  };
  return calls;
}
