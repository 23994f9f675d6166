// Owns the changing of model instances, which join a config with a model and facts for routing, and which applications call.
import { GatewayError, StorageError } from '../../kernel/errors.ts';
import { definedOf, InputCheck, type Patch } from '../../kernel/input-check.ts';
import type { JsonObject } from '../../kernel/json.ts';
import type { Parameters } from '../../providers/contract/completions.ts';
import type { RetryPolicy, TimeLimits } from '../../storage/entities/provider-config.entity.ts';
import { requireScope, type Viewer } from '../identity/viewer.ts';
import { newInstanceRow } from './new-rows.ts';
import { faultsOfParameters } from './parameter-rules.ts';
import { type PriceRules, requireMayPrice } from './price-permission.ts';
import { type CatalogueDependencies, requireVersion, staleRow } from './row-ownership.ts';
import type { ModelInstanceRow, ModelSpecRow, ProviderConfigRow } from './snapshot.ts';
import { checkRetryPolicy, checkTimeLimits } from './time-limit-fields.ts';

export interface ModelInstanceFields {
  readonly slug: string;
  readonly displayName: string;
  readonly configId: string;
  readonly canonicalId: string;
  readonly priority: number;
  readonly weight: number;
  readonly tags: readonly string[];
  readonly defaultParameters: Parameters;
  readonly customFields: JsonObject;
  readonly timeLimits: TimeLimits;
  readonly retryPolicy: RetryPolicy;
  readonly free: boolean | null;
  readonly enabled: boolean;
}

const SLUG = /^[a-z0-9._-]{1,128}$/;
const RESERVED_SLUG = 'auto';
const MAX_PRIORITY = 1_000_000;
const MAX_WEIGHT = 1_000_000;

export class ModelInstanceService {
  readonly #needs: CatalogueDependencies & PriceRules;

  constructor(needs: CatalogueDependencies & PriceRules) {
    this.#needs = needs;
  }

  /** Raises `BAD_USER_INPUT` or `CONFLICT` with every problem. */
  async create(
    viewer: Viewer,
    fields: Patch<ModelInstanceFields> & Pick<ModelInstanceFields, 'slug' | 'configId' | 'canonicalId'>,
  ): Promise<ModelInstanceRow> {
    requireScope(viewer, 'catalogue');
    const check = new InputCheck();
    await this.#check(viewer, check, fields, undefined);
    check.raise();
    const { newId, clock } = this.#needs;
    const { slug, configId, canonicalId } = fields;
    const row = newInstanceRow(
      { id: newId(), workspaceId: viewer.workspaceId, slug, configId, canonicalId },
      definedOf(fields) as Partial<ModelInstanceRow>,
      clock.now(),
    );
    const created = await this.#needs.writes
      .insert('model_instance', row, viewer)
      .catch(conflictOf(fields.slug));
    await this.#needs.refresh();
    return created;
  }

  async update(
    viewer: Viewer,
    id: string,
    version: number,
    patch: Patch<ModelInstanceFields>,
  ): Promise<ModelInstanceRow> {
    requireScope(viewer, 'catalogue');
    const row = await this.#load(viewer, id);
    requireVersion(row, version);
    const check = new InputCheck();
    await this.#check(viewer, check, patch, row);
    check.raise();
    const changes = {
      ...definedOf(patch),
      // A row that the node set up by itself counts as a person's from its first change on: the node no longer touches it.
      origin: 'CUSTOM' as const,
      updatedAt: this.#needs.clock.now(),
    };
    const changed = await this.#needs.writes
      .update('model_instance', id, version, changes as Partial<ModelInstanceRow>, viewer)
      .catch(conflictOf(patch.slug ?? row.slug));
    if (!changed) throw staleRow();
    await this.#needs.refresh();
    return changed;
  }

  /** Completions that the instance served keep its id and the model's name. */
  async remove(viewer: Viewer, id: string, version: number): Promise<ModelInstanceRow> {
    requireScope(viewer, 'catalogue');
    const row = await this.#load(viewer, id);
    requireVersion(row, version);
    if (!(await this.#needs.writes.remove('model_instance', id, version, viewer))) throw staleRow();
    await this.#needs.refresh();
    return row;
  }

  async #load(viewer: Viewer, id: string): Promise<ModelInstanceRow> {
    const [row] = await this.#needs.reads.byIds('model_instance', viewer.workspaceId, [id]);
    if (!row) throw new GatewayError('NOT_FOUND', 'There is no model instance with this id', { path: 'id' });
    return row;
  }

  async #check(
    viewer: Viewer,
    check: InputCheck,
    fields: Patch<ModelInstanceFields>,
    row: ModelInstanceRow | undefined,
  ): Promise<void> {
    if (fields.slug !== undefined && !SLUG.test(fields.slug)) {
      check.add('slug', 'must be 1 to 128 of a-z, 0-9, ".", "_" and "-"');
    } else if (fields.slug === RESERVED_SLUG) {
      check.add('slug', '"auto" is reserved: it lets the gateway choose');
    }
    check.text('displayName', fields.displayName);
    check.integer('priority', fields.priority, -MAX_PRIORITY, MAX_PRIORITY);
    check.integer('weight', fields.weight, 0, MAX_WEIGHT);
    check.words('tags', fields.tags);
    if (fields.free && !row?.free) requireMayPrice(this.#needs, viewer, 'free');
    check.json('customFields', fields.customFields);
    checkTimeLimits(check, fields.timeLimits);
    checkRetryPolicy(check, fields.retryPolicy);
    const { config, model } = await this.#parents(viewer, check, fields, row);
    if (config && model && config.providerKey !== model.providerKey) {
      check.add(
        'canonicalId',
        `"${model.canonicalId}" is a model of "${model.providerKey}", but the config "${config.name}" is one of "${config.providerKey}"; take a model or a config of the same provider`,
      );
    }
    checkDefaults(
      check,
      fields.defaultParameters ?? (row?.defaultParameters as Parameters | undefined),
      model,
    );
  }

  async #parents(
    viewer: Viewer,
    check: InputCheck,
    fields: Patch<ModelInstanceFields>,
    row: ModelInstanceRow | undefined,
  ): Promise<{ config: ProviderConfigRow | undefined; model: ModelSpecRow | undefined }> {
    const { reads } = this.#needs;
    const configId = fields.configId ?? row?.configId ?? '';
    const canonicalId = fields.canonicalId ?? row?.canonicalId ?? '';
    const [[config], [model]] = await Promise.all([
      reads.byIds('provider_config', viewer.workspaceId, [configId]),
      reads.byNames('model_spec', viewer.workspaceId, [canonicalId]),
    ]);
    if (!config) check.add('configId', 'there is no such provider config; `providerConfigs` lists them');
    // The model must exist only if the change names it, so that an instance whose model was withdrawn can still be switched off.
    if (!model && fields.canonicalId !== undefined) {
      check.add(
        'canonicalId',
        `there is no model "${canonicalId.slice(0, 200)}" here; \`modelSpecs\` lists them, \`createModelSpec\` adds one`,
      );
    }
    return { config, model };
  }
}

function checkDefaults(
  check: InputCheck,
  parameters: Parameters | undefined,
  model: ModelSpecRow | undefined,
): void {
  if (!parameters) return;
  for (const { path, message } of faultsOfParameters(parameters)) {
    check.add(`defaultParameters.${path}`, message);
  }
  const most = model?.maxOutputTokens;
  if (most && parameters.maxTokens && parameters.maxTokens > most) {
    check.add('defaultParameters.maxTokens', `"${model.canonicalId}" gives at most ${most}`);
  }
}

function conflictOf(slug: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof StorageError) || error.kind !== 'conflict') throw error;
    const path = error.constraint === 'model_instance_slug_unique' ? 'slug' : 'configId';
    const words =
      path === 'slug'
        ? `an instance "${slug}" exists already in this workspace`
        : 'this config was just deleted';
    throw new GatewayError('CONFLICT', `${path}: ${words}`, { path, cause: error });
  };
}
