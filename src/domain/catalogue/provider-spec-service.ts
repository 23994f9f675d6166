// Owns the changing of provider specs: kinds of providers, shared by the installation or a workspace's own.
import { GatewayError, StorageError } from '../../kernel/errors.ts';
import { definedOf, InputCheck, type Patch } from '../../kernel/input-check.ts';
import { canonicalJson, type JsonObject } from '../../kernel/json.ts';
import type { QuirksFault } from '../../providers/contract/adapter.ts';
import type { NewRow } from '../../storage/repositories/catalogue-write.repository.ts';
import { requireScope, type Viewer } from '../identity/viewer.ts';
import { PROVIDER_CATEGORIES } from './catalogue-data.ts';
import { type PriceRules, requireMayPrice } from './price-permission.ts';
import {
  type CatalogueDependencies,
  changeSharedRow,
  changesInPlace,
  ownerOfNew,
  type RowOwner,
  requireDeletable,
  requireVersion,
  staleRow,
} from './row-ownership.ts';
import type { SecretBinding } from './secret-binding.ts';
import { checkSettingsSchema } from './settings-schema.ts';
import type { ProviderSpecRow } from './snapshot.ts';

export interface ProviderSpecFields {
  readonly displayName: string;
  readonly description: string | null;
  readonly category: string | null;
  readonly protocol: string;
  readonly baseUrl: string | null;
  /** An `AuthScheme` of `providers/contract`. */
  readonly auth: JsonObject;
  readonly settingsSchema: JsonObject;
  readonly quirks: JsonObject;
  readonly docsUrl: string | null;
  readonly hasModelList: boolean | null;
  readonly free: boolean;
  readonly defaultModel: string | null;
  readonly enabled: boolean;
}

export interface ProviderSpecServiceDependencies extends CatalogueDependencies, PriceRules {
  /** Names of the protocols that this node has adapters for. */
  readonly protocols: () => readonly string[];
  readonly binding: SecretBinding;
  /** The faults of a row's quirks, for a row that this protocol serves. */
  readonly faultsOfQuirks: (protocol: string, quirks: JsonObject) => readonly QuirksFault[];
}

/** Unknown quirks are refused, since they would be ignored or make every call fail. */
export function checkQuirks(
  check: InputCheck,
  { faultsOfQuirks }: Pick<ProviderSpecServiceDependencies, 'faultsOfQuirks'>,
  protocol: string | null | undefined,
  quirks: JsonObject,
): void {
  for (const { path, message } of faultsOfQuirks(protocol ?? '', quirks)) {
    check.add(path === '' ? 'quirks' : `quirks.${path}`, message);
  }
}

const KEY = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const HEADER = /^[a-z0-9-]{1,64}$/;
const AUTH_TYPES = ['none', 'header', 'aws', 'gigachat', 'google'];
const BEARER: JsonObject = { type: 'header', header: 'authorization', prefix: 'Bearer ', optional: false };

export class ProviderSpecService {
  readonly #needs: ProviderSpecServiceDependencies;

  constructor(needs: ProviderSpecServiceDependencies) {
    this.#needs = needs;
  }

  /** Raises `BAD_USER_INPUT` or `CONFLICT` with every problem, `FORBIDDEN` for rows of the installation. */
  async create(
    viewer: Viewer,
    key: string,
    fields: Patch<ProviderSpecFields> & Pick<ProviderSpecFields, 'displayName' | 'protocol'>,
    owner?: RowOwner,
  ): Promise<ProviderSpecRow> {
    requireScope(viewer, 'catalogue');
    const workspaceId = ownerOfNew(viewer, owner);
    const check = new InputCheck();
    if (!KEY.test(key)) {
      check.add('key', 'must be 1 to 64 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit');
    }
    if (fields.free) requireMayPrice(this.#needs, viewer, 'free');
    this.#check(check, fields, workspaceId !== null);
    check.raise();
    const now = this.#needs.clock.now();
    const row: NewRow<'provider_spec'> = {
      id: this.#needs.newId(),
      workspaceId,
      key,
      description: null,
      category: null,
      unservableReason: null,
      baseUrl: null,
      auth: BEARER,
      settingsSchema: { type: 'object', additionalProperties: false },
      quirks: {},
      envVars: {},
      docsUrl: null,
      hasModelList: null,
      free: false,
      defaultModel: null,
      enabled: true,
      origin: 'CUSTOM',
      editedFields: [],
      sources: [],
      displayName: fields.displayName,
      protocol: fields.protocol,
      ...definedOf(fields),
      createdAt: now,
      updatedAt: now,
    };
    const before = await this.#visible(viewer, key);
    try {
      const created = await this.#needs.writes.insert('provider_spec', row, viewer);
      await this.#inForce(viewer, key, before);
      return created;
    } catch (error) {
      if (!(error instanceof StorageError) || error.kind !== 'conflict') throw error;
      throw new GatewayError('CONFLICT', `key: a provider "${key}" exists already here; change that one`, {
        path: 'key',
        cause: error,
      });
    }
  }

  async update(
    viewer: Viewer,
    id: string,
    version: number,
    patch: Patch<ProviderSpecFields>,
    owner?: RowOwner,
  ): Promise<ProviderSpecRow> {
    requireScope(viewer, 'catalogue');
    const row = await this.#load(viewer, id);
    const check = new InputCheck();
    if (patch.free && !row.free) requireMayPrice(this.#needs, viewer, 'free');
    this.#check(check, patch, !changesInPlace(viewer, row, owner) || row.workspaceId != null, row);
    check.raise();
    const changes = {
      ...definedOf(patch),
      ...(patch.protocol === undefined ? {} : { unservableReason: null }),
    } as Partial<ProviderSpecRow>;
    const before = await this.#visible(viewer, row.key);
    const changed = await changeSharedRow(this.#needs, 'provider_spec', viewer, row, version, changes, owner);
    await this.#inForce(viewer, row.key, before);
    return changed;
  }

  /** Raises `CONFLICT` while configs use the provider, unless another row of the same key stays visible to them. */
  async remove(viewer: Viewer, id: string, version: number): Promise<ProviderSpecRow> {
    requireScope(viewer, 'catalogue');
    const row = await this.#load(viewer, id);
    requireDeletable(viewer, row, 'set "enabled" to false instead');
    requireVersion(row, version);
    const behind = row.workspaceId ? await this.#needs.reads.shared('provider_spec', row.key) : undefined;
    const configs = behind ? 0 : await this.#needs.writes.configsOf(row.key, row.workspaceId ?? undefined);
    if (configs > 0) {
      throw new GatewayError(
        'CONFLICT',
        `id: ${configs} provider config(s) use "${row.key}"; delete these first, or set "enabled" to false`,
        { path: 'id' },
      );
    }
    const before = await this.#visible(viewer, row.key);
    if (!(await this.#needs.writes.remove('provider_spec', id, version, viewer))) throw staleRow();
    await this.#inForce(viewer, row.key, before);
    return row;
  }

  /** The row of this key that the viewer's workspace sees: its own, else the installation's. */
  async #visible(viewer: Viewer, key: string): Promise<ProviderSpecRow | undefined> {
    const [row] = await this.#needs.reads.byNames('provider_spec', viewer.workspaceId, [key]);
    return row;
  }

  async #inForce(viewer: Viewer, key: string, before: ProviderSpecRow | undefined): Promise<void> {
    await this.#needs.binding.follow(viewer, key, before, await this.#visible(viewer, key));
    await this.#needs.refresh();
  }

  async #load(viewer: Viewer, id: string): Promise<ProviderSpecRow> {
    const [row] = await this.#needs.reads.byIds('provider_spec', viewer.workspaceId, [id]);
    if (!row) throw new GatewayError('NOT_FOUND', 'There is no provider spec with this id', { path: 'id' });
    return row;
  }

  #check(
    check: InputCheck,
    fields: Patch<ProviderSpecFields>,
    ofWorkspace: boolean,
    row?: ProviderSpecRow,
  ): void {
    check.text('displayName', fields.displayName);
    check.text('description', fields.description, 2_000);
    check.oneOf('category', fields.category, PROVIDER_CATEGORIES);
    if (fields.protocol !== undefined && !this.#needs.protocols().includes(fields.protocol)) {
      check.add(
        'protocol',
        `"${fields.protocol.slice(0, 80)}" is no protocol that this node speaks; choose one of ${this.#needs.protocols().join(', ')}`,
      );
    }
    const { settingsSchema } = fields;
    const isNew = canonicalJson(settingsSchema) !== canonicalJson(row?.settingsSchema);
    if (check.json('settingsSchema', settingsSchema) && isNew) {
      checkSettingsSchema(check, 'settingsSchema', settingsSchema, ofWorkspace);
    }
    check.url('baseUrl', fields.baseUrl);
    checkPlaceholders(check, fields.baseUrl ?? row?.baseUrl, fields.settingsSchema ?? row?.settingsSchema);
    const quirks = fields.quirks ?? row?.quirks ?? {};
    const fitting = fields.quirks === undefined || check.json('quirks', fields.quirks);
    if (fitting && (fields.quirks !== undefined || fields.protocol !== undefined)) {
      checkQuirks(check, this.#needs, fields.protocol ?? row?.protocol, quirks);
    }
    check.url('docsUrl', fields.docsUrl);
    check.text('defaultModel', fields.defaultModel);
    if (check.json('auth', fields.auth)) checkAuth(check, fields.auth);
  }
}

/** Every setting that an address uses as a placeholder must be required of every config. */
function checkPlaceholders(
  check: InputCheck,
  baseUrl: string | null | undefined,
  schema: JsonObject = {},
): void {
  const required = Array.isArray(schema.required) ? schema.required : [];
  for (const [, name = ''] of (baseUrl ?? '').matchAll(/\{([^}]*)\}/g)) {
    const property = (schema.properties as JsonObject | undefined)?.[name] as JsonObject | undefined;
    if (property && (required.includes(name) || property.default !== undefined)) continue;
    check.add('baseUrl', `"{${name}}" must be a required setting of "settingsSchema", or one with a default`);
  }
}

function checkAuth(check: InputCheck, auth: JsonObject): void {
  const { type, header, prefix } = auth;
  check.oneOf('auth.type', String(type), AUTH_TYPES);
  if (type !== 'header') return;
  if (typeof header !== 'string' || !HEADER.test(header)) {
    check.add('auth.header', 'must be the lower-case name of a header, e.g. authorization or x-api-key');
  }
  if (typeof prefix !== 'string' || prefix.length > 40 || /[\r\n]/.test(prefix)) {
    check.add('auth.prefix', 'must be text of at most 40 characters, e.g. "Bearer "; empty for none');
  }
}
