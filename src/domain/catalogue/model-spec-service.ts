// Owns the changing of model specs: what a provider offers, as the installation or a workspace of its own knows it.
import { GatewayError, StorageError } from '../../kernel/errors.ts';
import { definedOf, InputCheck, type Patch } from '../../kernel/input-check.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { requireScope, type Viewer } from '../identity/viewer.ts';
import { INPUT_MODALITIES, MODEL_CAPABILITIES, OUTPUT_MODALITIES } from './catalogue-data.ts';
import { newModelRow } from './new-rows.ts';
import { checkQuirks, type ProviderSpecServiceDependencies } from './provider-spec-service.ts';
import {
  changeSharedRow,
  ownerOfNew,
  type RowOwner,
  requireDeletable,
  requireVersion,
  staleRow,
} from './row-ownership.ts';
import type { ModelSpecRow, ProviderSpecRow } from './snapshot.ts';

export interface ModelSpecFields {
  readonly displayName: string;
  readonly description: string | null;
  readonly contextLength: number | null;
  readonly maxOutputTokens: number | null;
  readonly inputModalities: readonly string[];
  readonly outputModalities: readonly string[];
  readonly capabilities: readonly string[];
  readonly tags: readonly string[];
  readonly strengths: readonly string[];
  readonly weaknesses: readonly string[];
  readonly protocol: string | null;
  readonly quirks: JsonObject;
  readonly available: boolean;
  /** ISO date. */
  readonly releasedAt: string | null;
  readonly customFields: JsonObject;
}

const KEY = /^[\x21-\x7e]{1,200}$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const MAX_TOKENS = 2_147_483_647;

export class ModelSpecService {
  readonly #needs: ProviderSpecServiceDependencies;

  constructor(needs: ProviderSpecServiceDependencies) {
    this.#needs = needs;
  }

  /** Raises `BAD_USER_INPUT` or `CONFLICT` with every problem, `FORBIDDEN` for rows of the installation. */
  async create(
    viewer: Viewer,
    name: { readonly providerKey: string; readonly key: string },
    fields: Patch<ModelSpecFields>,
    owner?: RowOwner,
  ): Promise<ModelSpecRow> {
    requireScope(viewer, 'catalogue');
    const workspaceId = ownerOfNew(viewer, owner);
    const check = new InputCheck();
    const spec = await this.#checkProvider(viewer, check, name.providerKey, workspaceId);
    if (!KEY.test(name.key)) check.add('key', 'must be 1 to 200 printable ASCII characters without spaces');
    this.#check(check, fields, spec?.protocol);
    check.raise();
    const { newId, clock } = this.#needs;
    const row = newModelRow({ id: newId(), workspaceId, ...name }, definedOf(fields), clock.now());
    try {
      const created = await this.#needs.writes.insert('model_spec', row, viewer);
      await this.#needs.refresh();
      return created;
    } catch (error) {
      if (!(error instanceof StorageError) || error.kind !== 'conflict') throw error;
      throw new GatewayError(
        'CONFLICT',
        `key: a model "${name.providerKey}/${name.key}" exists already here; change that one`,
        { path: 'key', cause: error },
      );
    }
  }

  async update(
    viewer: Viewer,
    id: string,
    version: number,
    patch: Patch<ModelSpecFields>,
    owner?: RowOwner,
  ): Promise<ModelSpecRow> {
    requireScope(viewer, 'catalogue');
    const row = await this.#load(viewer, id);
    const check = new InputCheck();
    const [spec] = await this.#needs.reads.byNames('provider_spec', viewer.workspaceId, [row.providerKey]);
    this.#check(check, patch, spec?.protocol, row);
    check.raise();
    const changes = definedOf(patch) as Partial<ModelSpecRow>;
    const changed = await changeSharedRow(this.#needs, 'model_spec', viewer, row, version, changes, owner);
    await this.#needs.refresh();
    return changed;
  }

  /** Raises `CONFLICT` while instances use the model, unless an installation's row of the same name stays visible to them. */
  async remove(viewer: Viewer, id: string, version: number): Promise<ModelSpecRow> {
    requireScope(viewer, 'catalogue');
    const row = await this.#load(viewer, id);
    requireDeletable(viewer, row, 'set "available" to false instead');
    requireVersion(row, version);
    const { reads, writes } = this.#needs;
    const behind = row.workspaceId ? await reads.shared('model_spec', row.canonicalId) : undefined;
    const instances = behind ? 0 : await writes.instancesOf(row.canonicalId, row.workspaceId ?? undefined);
    if (instances > 0) {
      throw new GatewayError(
        'CONFLICT',
        `id: ${instances} model instance(s) use "${row.canonicalId}"; delete these first, or set "available" to false`,
        { path: 'id' },
      );
    }
    if (!(await writes.remove('model_spec', id, version, viewer))) throw staleRow();
    await this.#needs.refresh();
    return row;
  }

  async #load(viewer: Viewer, id: string): Promise<ModelSpecRow> {
    const [row] = await this.#needs.reads.byIds('model_spec', viewer.workspaceId, [id]);
    if (!row) throw new GatewayError('NOT_FOUND', 'There is no model spec with this id', { path: 'id' });
    return row;
  }

  async #checkProvider(
    viewer: Viewer,
    check: InputCheck,
    key: string,
    owner: string | null,
  ): Promise<ProviderSpecRow | undefined> {
    const [spec] = await this.#needs.reads.byNames('provider_spec', viewer.workspaceId, [key]);
    if (!spec) check.add('providerKey', `there is no provider "${key.slice(0, 80)}" here; create it first`);
    else if (owner === null && spec.workspaceId) {
      check.add(
        'providerKey',
        `"${key}" is your workspace's own provider, which other workspaces do not see`,
      );
    }
    return spec;
  }

  #check(
    check: InputCheck,
    fields: Patch<ModelSpecFields>,
    ofProvider: string | null | undefined,
    row?: ModelSpecRow,
  ): void {
    check.text('displayName', fields.displayName);
    check.text('description', fields.description, 2_000);
    check.integer('contextLength', fields.contextLength, 1, MAX_TOKENS);
    check.integer('maxOutputTokens', fields.maxOutputTokens, 1, MAX_TOKENS);
    check.allOf('inputModalities', fields.inputModalities, INPUT_MODALITIES, 1);
    check.allOf('outputModalities', fields.outputModalities, OUTPUT_MODALITIES, 1);
    check.allOf('capabilities', fields.capabilities, MODEL_CAPABILITIES);
    check.words('tags', fields.tags);
    check.phrases('strengths', fields.strengths);
    check.phrases('weaknesses', fields.weaknesses);
    check.oneOf('protocol', fields.protocol, this.#needs.protocols());
    const fitting = fields.quirks === undefined || check.json('quirks', fields.quirks);
    if (fitting && (fields.quirks !== undefined || fields.protocol !== undefined)) {
      const protocol = fields.protocol === undefined ? row?.protocol : fields.protocol;
      checkQuirks(check, this.#needs, protocol ?? ofProvider, fields.quirks ?? row?.quirks ?? {});
    }
    check.json('customFields', fields.customFields);
    if (fields.releasedAt != null && !isDate(fields.releasedAt)) {
      check.add('releasedAt', 'must be a date such as 2026-11-20');
    }
  }
}

function isDate(text: string): boolean {
  return DATE.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text);
}
