import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { sandboxCatalogue } from '../support/sandbox-catalogue.ts';

/** Whoever may do everything in the installation, in its workspace, or by one scope only; or nobody at all. */
const ROLES = ['NOBODY', 'INSTALLATION', 'ADMIN', 'CATALOGUE', 'RUN', 'READ'] as const;
type Role = (typeof ROLES)[number];

const ALL: readonly Role[] = ['INSTALLATION', 'ADMIN', 'CATALOGUE', 'RUN', 'READ'];
const INSTALLATION: readonly Role[] = ['INSTALLATION'];
const ADMINS: readonly Role[] = ['INSTALLATION', 'ADMIN'];
const CATALOGUE: readonly Role[] = [...ADMINS, 'CATALOGUE'];
const RUN: readonly Role[] = [...ADMINS, 'RUN'];
const READ: readonly Role[] = [...ADMINS, 'READ'];
const RUN_OR_READ: readonly Role[] = [...ADMINS, 'RUN', 'READ'];

/** Who may ask for each field: everybody else is FORBIDDEN. A field that is not listed here fails the test. */
const TABLE: Readonly<Record<string, readonly Role[]>> = {
  'Query.account': READ,
  'Query.apiKeys': ADMINS,
  'Query.auditEvents': ADMINS,
  'Query.completion': ALL,
  'Query.completions': RUN_OR_READ,
  'Query.members': ADMINS,
  'Query.modelInstance': ALL,
  'Query.modelInstances': ALL,
  'Query.modelSpec': ALL,
  'Query.modelSpecs': ALL,
  'Query.node': ALL,
  'Query.nodes': ALL,
  'Query.providerConfig': ALL,
  'Query.providerConfigs': ALL,
  'Query.providerSpec': ALL,
  'Query.providerSpecs': ALL,
  'Query.routePlan': RUN_OR_READ,
  'Query.routingReport': [...CATALOGUE, 'READ'],
  'Query.usageReport': RUN_OR_READ,
  'Query.viewer': ALL,
  'Query.workspaces': ALL,
  'Mutation.adjustAccount': INSTALLATION,
  'Mutation.cancelCompletion': ALL,
  'Mutation.checkProviderConfig': CATALOGUE,
  'Mutation.complete': RUN,
  'Mutation.createApiKey': ADMINS,
  'Mutation.createModelInstance': CATALOGUE,
  'Mutation.createModelSpec': CATALOGUE,
  'Mutation.createProviderConfig': CATALOGUE,
  'Mutation.createProviderSpec': CATALOGUE,
  'Mutation.createWorkspace': INSTALLATION,
  'Mutation.creditAccount': INSTALLATION,
  'Mutation.deleteModelInstance': CATALOGUE,
  'Mutation.deleteModelSpec': CATALOGUE,
  'Mutation.deleteProviderConfig': CATALOGUE,
  'Mutation.deleteProviderSpec': CATALOGUE,
  'Mutation.refreshCatalogue': INSTALLATION,
  'Mutation.resetCircuit': CATALOGUE,
  'Mutation.revokeApiKey': ADMINS,
  'Mutation.rotateApiKey': ADMINS,
  'Mutation.rotateSecrets': INSTALLATION,
  'Mutation.setBudget': ADMINS,
  'Mutation.setMember': ADMINS,
  'Mutation.setPrice': CATALOGUE,
  'Mutation.startCompletion': RUN,
  'Mutation.syncModels': CATALOGUE,
  'Mutation.updateApiKey': ADMINS,
  'Mutation.updateModelInstance': CATALOGUE,
  'Mutation.updateModelSpec': CATALOGUE,
  'Mutation.updateProviderConfig': CATALOGUE,
  'Mutation.updateProviderSpec': CATALOGUE,
  'Mutation.updateWorkspace': ADMINS,
  'Subscription.completionEvents': ALL,
  'Subscription.modelSyncProgress': ALL,
  'Subscription.streamCompletion': RUN,
};

const schema = buildSchema(readFileSync('schema/schema.graphql', 'utf8'));
const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
const FIELDS = roots.flatMap((root) =>
  Object.values(root?.getFields() ?? {}).map((field) => ({ name: `${root?.name}.${field.name}`, field })),
);
/** What a resolver wants before it can ask the service at all. */
const FURTHER_INPUT: Readonly<Record<string, object>> = {
  'Mutation.createProviderConfig': { providerKey: 'sandbox' },
  'Subscription.streamCompletion': { idempotencyKey: 'once' },
};
/** Entities that belong to a workspace, and what makes one of each. */
const OWNED = ['ProviderConfig', 'ModelInstance', 'ApiKey', 'Completion'] as const;

describe('permissions', () => {
  let app: TestApp;
  const keys: Partial<Record<Role, string>> = {};
  const foreign: Partial<Record<string, string>> = {};

  beforeAll(async () => {
    app = await startTestApp('embedded', { overrides: { catalogueData: await sandboxCatalogue() } });
    const { id } = await app.createWorkspace();
    for (const role of ['ADMIN', 'CATALOGUE', 'RUN', 'READ'] as const) {
      const made = await app.graph(
        'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
        { input: { name: role, scopes: [role], workspaceId: id } },
      );
      keys[role] = made.data.createApiKey.secret;
    }
    keys.INSTALLATION = app.adminKey;
    const other = await app.createWorkspace();
    const ask = (query: string, variables = {}) => app.graph(query, variables, other.key);
    const config = await ask(
      'mutation { createProviderConfig(input: {name: "Theirs", providerKey: "sandbox"}) { providerConfig { id } } }',
    );
    foreign.ProviderConfig = config.data.createProviderConfig.providerConfig.id;
    const listed = await ask('{ modelInstances { nodes { id } } apiKeys { id } }');
    foreign.ModelInstance = listed.data.modelInstances.nodes[0].id;
    foreign.ApiKey = listed.data.apiKeys[0].id;
    const started = await ask(
      'mutation { complete(input: {model: "auto", messages: [{role: USER, text: "x"}], providerOptions: {sandbox: {tokens: 1}}}) { completion { id } } }',
    );
    foreign.Completion = started.data.complete.completion.id;
    foreign.Workspace = Buffer.from(`Workspace:${other.id}`).toString('base64url');
  });

  test('permissions are stated for every field of the schema', () => {
    expect(FIELDS.map(({ name }) => name).sort()).toEqual(Object.keys(TABLE).sort());
  });

  describe.each(ROLES)('%s', (role) => {
    test.each(FIELDS)(
      `${role} passes at $name only where the table of permissions lets it`,
      async ({ name, field }) => {
        const codes = await codesOf(name, field, keys[role]);
        if (role === 'NOBODY') expect(codes).toEqual(['UNAUTHENTICATED']);
        else if (TABLE[name]?.includes(role)) {
          expect(codes).not.toContain('FORBIDDEN');
          expect(codes).not.toContain('UNAUTHENTICATED');
          expect(codes).not.toContain('INTERNAL');
        } else expect(codes).toEqual(['FORBIDDEN']);
      },
    );
  });

  test('permissions of another workspace’s administrator end at its border: its ids are NOT_FOUND, whatever the field', async () => {
    const calls: readonly (readonly [string, string])[] = [
      [
        'mutation ($id: ID!) { checkProviderConfig(input: {id: $id}) { userErrors { code } } }',
        'ProviderConfig',
      ],
      [
        'mutation ($id: ID!) { syncModels(input: {configId: $id}) { userErrors { code } } }',
        'ProviderConfig',
      ],
      [
        'mutation ($id: ID!) { updateProviderConfig(input: {id: $id, version: 1, name: "Mine"}) { userErrors { code } } }',
        'ProviderConfig',
      ],
      [
        'mutation ($id: ID!) { deleteProviderConfig(input: {id: $id, version: 1}) { userErrors { code } } }',
        'ProviderConfig',
      ],
      [
        'mutation ($id: ID!) { updateModelInstance(input: {id: $id, version: 1, weight: 2}) { userErrors { code } } }',
        'ModelInstance',
      ],
      [
        'mutation ($id: ID!) { deleteModelInstance(input: {id: $id, version: 1}) { userErrors { code } } }',
        'ModelInstance',
      ],
      ['mutation ($id: ID!) { resetCircuit(input: {id: $id}) { userErrors { code } } }', 'ModelInstance'],
      [
        'mutation ($id: ID!) { updateApiKey(input: {id: $id, name: "Mine"}) { userErrors { code } } }',
        'ApiKey',
      ],
      ['mutation ($id: ID!) { rotateApiKey(input: {id: $id}) { secret } }', 'ApiKey'],
      ['mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { apiKey { id } } }', 'ApiKey'],
      [
        'mutation ($id: ID!) { setBudget(input: {apiKeyId: $id, period: DAY, limit: "1"}) { userErrors { code } } }',
        'ApiKey',
      ],
      ['mutation ($id: ID!) { cancelCompletion(input: {id: $id}) { settled } }', 'Completion'],
      ['query ($id: String!) { completion(id: $id) { id } }', 'Completion'],
      [
        'mutation ($id: ID!) { updateWorkspace(input: {id: $id, displayName: "Mine"}) { userErrors { code } } }',
        'Workspace',
      ],
      ['query ($id: ID!) { account(workspaceId: $id) { balance } }', 'Workspace'],
    ];
    for (const [query, type] of calls) {
      const { errors, data } = await app.graph(query, { id: foreign[type] }, keys.ADMIN);
      const told = errors?.[0]?.extensions.code ?? JSON.stringify(data);
      expect(`${query} → ${told}`).toBe(`${query} → NOT_FOUND`);
    }
    for (const type of OWNED) {
      const { data } = await app.graph(
        'query ($id: ID!) { node(id: $id) { id } }',
        { id: foreign[type] },
        keys.ADMIN,
      );
      expect(data.node).toBeNull();
    }
    const configured = await app.graph(
      'query ($id: ID) { providerConfig(id: $id) { id } }',
      { id: foreign.ProviderConfig },
      keys.ADMIN,
    );
    expect(configured.data?.providerConfig ?? null).toBeNull();
  });

  async function codesOf(
    name: string,
    field: GraphQLField<unknown, unknown>,
    key: string | undefined,
  ): Promise<string[]> {
    const [root] = name.split('.');
    const variables = Object.fromEntries(
      field.args
        .filter(({ type }) => isNonNullType(type))
        .map((arg) => [arg.name, sampleOf(arg.type, arg.name)]),
    );
    const input = variables.input as object | undefined;
    if (input) Object.assign(input, FURTHER_INPUT[name]);
    if (input && 'id' in input) Object.assign(input, { id: unknownId(field.name) });
    const declared = field.args.filter((arg) => arg.name in variables);
    const head =
      declared.length > 0 ? `(${declared.map((arg) => `$${arg.name}: ${arg.type}`).join(', ')})` : '';
    const passed =
      declared.length > 0 ? `(${declared.map((arg) => `${arg.name}: $${arg.name}`).join(', ')})` : '';
    const query = `${root?.toLowerCase()} ${head} { ${field.name}${passed} ${selectionOf(field.type)} }`;
    const path = root === 'Subscription' ? '/graphql/stream' : app.app.graphqlPath;
    const response = await fetch(`${app.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) },
      body: JSON.stringify({ query, variables }),
    });
    const text = await response.text();
    const errors = [...text.matchAll(/"code":"([A-Z_]+)"/g)].map(([, code]) => code as string);
    return [...new Set(errors)];
  }
});

/** Values of the right form that name nothing that is there. */
function sampleOf(type: GraphQLInputType, name: string): unknown {
  if (isNonNullType(type)) return sampleOf(type.ofType, name);
  if (isListType(type)) return [sampleOf(type.ofType, name)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    return Object.fromEntries(
      Object.values(type.getFields())
        .filter((field) => isNonNullType(field.type) && field.defaultValue === undefined)
        .map((field) => [field.name, sampleOf(field.type, field.name)]),
    );
  }
  const values: Record<string, unknown> = {
    Int: 1,
    Float: 1,
    Boolean: true,
    Usd: '1',
    DateTime: '2030-01-01T00:00:00.000Z',
    JSONObject: {},
    ID: Buffer.from('ProviderConfig:00000000-0000-4000-8000-000000000000').toString('base64url'),
  };
  return values[getNamedType(type).name] ?? `some-${name.toLowerCase()}`;
}

/** An id of the right kind that nothing has, by the entity in the field's name. */
function unknownId(fieldName: string): string {
  const kinds = [
    'ApiKey',
    'Workspace',
    'ProviderSpec',
    'ProviderConfig',
    'ModelSpec',
    'ModelInstance',
    'Completion',
  ];
  const kind = kinds.find((each) => fieldName.endsWith(each)) ?? 'ModelInstance';
  return Buffer.from(`${kind}:00000000-0000-4000-8000-000000000000`).toString('base64url');
}

/** Something below every composite field, so that the document is valid. */
function selectionOf(type: GraphQLOutputType): string {
  const named = getNamedType(type);
  return isObjectType(named) || isInterfaceType(named) ? '{ __typename }' : '';
}
