// Owns the changing of provider configs: one workspace's credentials for a provider. Secrets are stored and used, but never shown again.
import { isIP } from 'node:net';
import { GatewayError, StorageError } from '../../kernel/errors.ts';
import { definedOf, InputCheck, type Patch } from '../../kernel/input-check.ts';
import { canonicalJson, type JsonObject } from '../../kernel/json.ts';
import type { RetryPolicy, TimeLimits } from '../../storage/entities/provider-config.entity.ts';
import type { SecretVault } from '../identity/secret-vault.ts';
import { requireScope, type Viewer } from '../identity/viewer.ts';
import { freeSlug, ignoreConflict } from './free-slug.ts';
import { newConfigRow, newInstanceRow } from './new-rows.ts';
import { checkHeaders } from './provider-headers.ts';
import { type CatalogueDependencies, requireVersion, staleRow } from './row-ownership.ts';
import { mayConfirmAddress } from './secret-binding.ts';
import { destinationOf } from './secret-destination.ts';
import { checkSettings } from './settings-schema.ts';
import type { ProviderConfigRow, ProviderSpecRow, WorkspaceCatalogue } from './snapshot.ts';
import { checkRetryPolicy, checkTimeLimits } from './time-limit-fields.ts';

export interface ProviderConfigFields {
  readonly name: string;
  readonly baseUrl: string | null;
  /** The credential itself; null removes it. */
  readonly secret: string | null;
  /** Name of an environment variable that holds it; for administrators of the installation. */
  readonly secretEnv: string;
  /** Extra request headers; null removes them. They count as secrets. */
  readonly headers: JsonObject | null;
  readonly settings: JsonObject;
  readonly timeLimits: TimeLimits;
  readonly retryPolicy: RetryPolicy;
  readonly enabled: boolean;
}

export interface ProviderConfigServiceDependencies extends CatalogueDependencies {
  readonly vault: SecretVault;
  readonly catalogueOf: (workspaceId: string) => WorkspaceCatalogue;
  /** Whether an IP address may be called. */
  readonly allowAddress: (address: string) => boolean;
}

type ChangedSecrets = {
  -readonly [Name in
    | 'secret'
    | 'secretHint'
    | 'secretDestination'
    | 'headers'
    | 'headersDestination']?: ProviderConfigRow[Name];
};

const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const MAX_SECRET_LENGTH = 20_000;
const HINT_LENGTH = 4;
const MIN_LENGTH_FOR_HINT = 16;

export class ProviderConfigService {
  readonly #needs: ProviderConfigServiceDependencies;

  constructor(needs: ProviderConfigServiceDependencies) {
    this.#needs = needs;
  }

  /**
   * Raises `BAD_USER_INPUT` or `CONFLICT` with every problem. If the provider names a default model, an instance of it is made too, unless
   * `withDefaultModel` is false.
   */
  async create(
    viewer: Viewer,
    provider: { readonly id: string } | { readonly key: string },
    fields: Patch<ProviderConfigFields> & Pick<ProviderConfigFields, 'name'>,
    withDefaultModel = true,
  ): Promise<ProviderConfigRow> {
    requireScope(viewer, 'catalogue');
    const check = new InputCheck();
    const spec = await this.#providerOf(viewer, provider, check);
    this.#check(viewer, check, fields, spec, undefined);
    check.raise();
    const { reads: _reads, newId, clock, writes } = this.#needs;
    const id = newId();
    const { secret: _secret, secretEnv: _env, headers: _headers, ...plain } = fields;
    const row = newConfigRow(
      { id, workspaceId: viewer.workspaceId, providerKey: spec?.key ?? '', name: fields.name },
      {
        ...definedOf(plain),
        ...this.#seal(id, fields),
        ...destinationsOf(viewer, fields, spec, undefined),
      },
      clock.now(),
    );
    const created = await writes.insert('provider_config', row, viewer).catch(nameTaken(fields.name));
    if (withDefaultModel && spec) await this.#offerDefaultModel(viewer, created, spec);
    await this.#needs.refresh();
    return created;
  }

  async update(
    viewer: Viewer,
    id: string,
    version: number,
    patch: Patch<ProviderConfigFields>,
  ): Promise<ProviderConfigRow> {
    requireScope(viewer, 'catalogue');
    const row = await this.#load(viewer, id);
    requireVersion(row, version);
    const check = new InputCheck();
    const [spec] = await this.#needs.reads.byNames('provider_spec', viewer.workspaceId, [row.providerKey]);
    this.#check(viewer, check, patch, spec, row);
    check.raise();
    const { secret: _secret, secretEnv: _env, headers: _headers, ...plain } = patch;
    const changes = {
      ...definedOf(plain),
      ...this.#seal(id, patch),
      ...destinationsOf(viewer, patch, spec, row),
      // A row that the node set up by itself counts as a person's from its first change on: the node no longer touches it.
      origin: 'CUSTOM' as const,
      // The health that was found with the old credentials says nothing about the new ones.
      ...(reachesElsewhere(patch)
        ? { health: 'UNKNOWN' as const, healthError: null, healthFault: null }
        : {}),
      updatedAt: this.#needs.clock.now(),
    };
    const changed = await this.#needs.writes
      .update('provider_config', id, version, changes as Partial<ProviderConfigRow>, viewer)
      .catch(nameTaken(patch.name ?? row.name));
    if (!changed) throw staleRow();
    await this.#needs.refresh();
    return changed;
  }

  async remove(viewer: Viewer, id: string, version: number): Promise<ProviderConfigRow> {
    requireScope(viewer, 'catalogue');
    const row = await this.#load(viewer, id);
    requireVersion(row, version);
    const instances = await this.#needs.writes.instancesOfConfig(id);
    if (instances > 0) {
      throw new GatewayError(
        'CONFLICT',
        `id: ${instances} model instance(s) use "${row.name}"; delete these first, or set "enabled" to false`,
        { path: 'id' },
      );
    }
    if (row.origin !== 'CUSTOM') {
      throw new GatewayError(
        'BAD_USER_INPUT',
        `id: "${row.name}" is set up at each start and would come back; set "enabled" to false instead`,
        { path: 'id' },
      );
    }
    if (!(await this.#needs.writes.remove('provider_config', id, version, viewer))) throw staleRow();
    await this.#needs.refresh();
    return row;
  }

  async #offerDefaultModel(viewer: Viewer, config: ProviderConfigRow, spec: ProviderSpecRow): Promise<void> {
    if (!spec.defaultModel) return;
    const { reads, writes, catalogueOf, newId, clock } = this.#needs;
    const { workspaceId } = config;
    const canonicalId = `${spec.key}/${spec.defaultModel}`;
    const [model] = await reads.byNames('model_spec', workspaceId, [canonicalId]);
    if (!model?.available) return;
    const slug = freeSlug(model, new Set(catalogueOf(workspaceId).instancesBySlug.keys()));
    const row = newInstanceRow(
      { id: newId(), workspaceId, slug, configId: config.id, canonicalId },
      { displayName: model.displayName },
      clock.now(),
    );
    // Another caller has taken the slug at this moment: the config is kept without an instance, and one can be created by hand.
    await writes.insert('model_instance', row, viewer).catch(ignoreConflict);
  }

  async #load(viewer: Viewer, id: string): Promise<ProviderConfigRow> {
    const [row] = await this.#needs.reads.byIds('provider_config', viewer.workspaceId, [id]);
    if (!row) throw new GatewayError('NOT_FOUND', 'There is no provider config with this id', { path: 'id' });
    return row;
  }

  async #providerOf(
    viewer: Viewer,
    provider: { readonly id: string } | { readonly key: string },
    check: InputCheck,
  ): Promise<ProviderSpecRow | undefined> {
    const { reads } = this.#needs;
    const [path, [spec]] =
      'id' in provider
        ? (['providerSpecId', await reads.byIds('provider_spec', viewer.workspaceId, [provider.id])] as const)
        : ([
            'providerKey',
            await reads.byNames('provider_spec', viewer.workspaceId, [provider.key]),
          ] as const);
    if (!spec) {
      check.add(path, 'there is no such provider here; `providerSpecs` lists them');
    } else if (!spec.enabled) {
      check.add(path, `the provider "${spec.key}" is switched off; set its "enabled" to true first`);
    } else if (!spec.protocol) {
      check.add(
        path,
        `the provider "${spec.key}" cannot be called: ${spec.unservableReason ?? 'no protocol of it is known'}`,
      );
    }
    return spec;
  }

  #check(
    viewer: Viewer,
    check: InputCheck,
    fields: Patch<ProviderConfigFields>,
    spec: ProviderSpecRow | undefined,
    row: ProviderConfigRow | undefined,
  ): void {
    check.text('name', fields.name, 100);
    this.#checkAddress(check, fields, spec, row);
    if (check.json('settings', fields.settings) || !row) {
      if (spec) checkSettings(check, 'settings', fields.settings ?? {}, spec);
    }
    checkTimeLimits(check, fields.timeLimits);
    checkRetryPolicy(check, fields.retryPolicy);
    checkSecret(viewer, check, fields, row);
    checkHeaders(check, fields.headers);
    if (fields.enabled && row && !row.enabled && spec?.enabled === false) {
      check.add('enabled', `the provider "${spec.key}" is switched off; set its "enabled" to true first`);
    }
  }

  #checkAddress(
    check: InputCheck,
    { baseUrl }: Patch<ProviderConfigFields>,
    spec: ProviderSpecRow | undefined,
    row: ProviderConfigRow | undefined,
  ): void {
    const url = check.url('baseUrl', baseUrl);
    if (baseUrl?.includes('{')) check.add('baseUrl', 'must be the address itself, without placeholders');
    const host = url?.hostname.replace(/^\[|\]$/g, '') ?? '';
    if (isIP(host) !== 0 && !this.#needs.allowAddress(host)) {
      check.add(
        'baseUrl',
        `${host} is a private address, which the operator allows by PRIVATE_UPSTREAMS only`,
      );
    }
    const remaining = baseUrl === undefined ? row?.baseUrl : baseUrl;
    if (spec && !spec.baseUrl && !remaining && spec.protocol !== 'sandbox') {
      check.add('baseUrl', `is required: the provider "${spec.key}" has no address of its own`);
    }
  }

  #seal(id: string, fields: Patch<ProviderConfigFields>): ChangedSecrets {
    const { secret, secretEnv, headers } = fields;
    const { vault } = this.#needs;
    const sealed: ChangedSecrets = {};
    if (secretEnv !== undefined) Object.assign(sealed, { secret: { env: secretEnv }, secretHint: null });
    else if (secret === null) Object.assign(sealed, { secret: null, secretHint: null });
    else if (secret !== undefined)
      Object.assign(sealed, { secret: vault.seal(secret, id), secretHint: hintOf(secret) });
    if (headers === null) sealed.headers = null;
    else if (headers !== undefined) sealed.headers = vault.seal(JSON.stringify(headers), id);
    return sealed;
  }
}

function hintOf(secret: string): string | null {
  return secret.length < MIN_LENGTH_FOR_HINT ? null : secret.slice(-HINT_LENGTH);
}

function checkSecret(
  viewer: Viewer,
  check: InputCheck,
  fields: Patch<ProviderConfigFields>,
  row: ProviderConfigRow | undefined,
): void {
  const { secret, secretEnv } = fields;
  if (secretEnv !== undefined && secret !== undefined)
    check.add('secretEnv', 'give either "secret" or "secretEnv"');
  if (secretEnv !== undefined) {
    if (!viewer.installationAdmin) {
      check.add(
        'secretEnv',
        'only an administrator of the installation refers to its environment; give "secret"',
      );
    } else if (!ENVIRONMENT_NAME.test(secretEnv)) {
      check.add('secretEnv', 'must be the name of an environment variable, e.g. OPENAI_API_KEY');
    }
  }
  if (secret != null && (secret.trim() === '' || secret.length > MAX_SECRET_LENGTH)) {
    check.add('secret', `must have 1 to ${MAX_SECRET_LENGTH} characters; null removes it`);
  }
  if (!row || !moves(fields, row)) return;
  for (const name of keptSecrets(fields, row)) {
    const stored = row[name];
    if (!stored || mayConfirmAddress(viewer, stored)) continue;
    const who = 'env' in stored ? 'an administrator of the installation' : 'an administrator';
    check.add(
      name,
      `give it again, or null to remove it: what is stored was given for the old address, and only ${who} may have it sent to a new one`,
    );
  }
}

/** True if the base URL changes, or any setting, because the address may be made of settings. */
function moves({ baseUrl, settings }: Patch<ProviderConfigFields>, row: ProviderConfigRow): boolean {
  return (
    (baseUrl !== undefined && baseUrl !== (row.baseUrl ?? null)) ||
    (settings !== undefined && canonicalJson(settings) !== canonicalJson(row.settings))
  );
}

/** The secrets that the config has and that the change leaves as they are. */
function keptSecrets(
  { secret, secretEnv, headers }: Patch<ProviderConfigFields>,
  row: ProviderConfigRow,
): ('secret' | 'headers')[] {
  return [
    ...(row.secret && secret === undefined && secretEnv === undefined ? (['secret'] as const) : []),
    ...(row.headers && headers === undefined ? (['headers'] as const) : []),
  ];
}

/** New secrets are bound to the address that the config will have. If an administrator changes the address, the stored secrets are bound to it too. */
function destinationsOf(
  viewer: Viewer,
  fields: Patch<ProviderConfigFields>,
  spec: ProviderSpecRow | undefined,
  row: ProviderConfigRow | undefined,
): ChangedSecrets {
  const { name = '', baseUrl = null, settings = {} } = { ...row, ...definedOf(fields) };
  const now = destinationOf({ name, baseUrl, settings }, spec);
  const changed: ChangedSecrets = {};
  if (fields.secret !== undefined || fields.secretEnv !== undefined) {
    changed.secretDestination = fields.secret === null ? null : now;
  }
  if (fields.headers !== undefined) changed.headersDestination = fields.headers && now;
  const confirms = fields.baseUrl !== undefined || fields.settings !== undefined;
  for (const kept of row && confirms ? keptSecrets(fields, row) : []) {
    if (row?.[kept] && mayConfirmAddress(viewer, row[kept])) changed[`${kept}Destination`] = now;
  }
  return changed;
}

function reachesElsewhere(patch: Patch<ProviderConfigFields>): boolean {
  const { secret, secretEnv, baseUrl, headers, settings } = patch;
  return [secret, secretEnv, baseUrl, headers, settings].some((value) => value !== undefined);
}

function nameTaken(name: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof StorageError) || error.constraint !== 'provider_config_name_unique') throw error;
    throw new GatewayError('CONFLICT', `name: a config "${name}" exists already in this workspace`, {
      path: 'name',
      cause: error,
    });
  };
}
