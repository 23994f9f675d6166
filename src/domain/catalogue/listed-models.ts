// Owns what a provider's list of models means for the rows of a workspace. Pure, so that an unusable list changes nothing.
import type { NewId } from '../../kernel/ids.ts';
import type { ListedModel } from '../../providers/contract/models.ts';
import type { NewRow } from '../../storage/repositories/catalogue-write.repository.ts';
import { INPUT_MODALITIES, MODEL_CAPABILITIES, OUTPUT_MODALITIES } from './catalogue-data.ts';
import { newModelRow } from './new-rows.ts';
import type { ModelSpecRow } from './snapshot.ts';

export interface ListedChanges {
  readonly inserts: readonly NewRow<'model_spec'>[];
  readonly updates: readonly { readonly row: ModelSpecRow; readonly changes: Partial<ModelSpecRow> }[];
  readonly withdrawn: readonly ModelSpecRow[];
  /** Number of listed models whose rows were left unchanged. */
  readonly kept: number;
}

export interface ComparedCatalogue {
  readonly workspaceId: string;
  readonly providerKey: string;
  /** The models of the provider that the workspace sees: its own rows, and those of the installation that none of its own hides. */
  readonly rows: readonly ModelSpecRow[];
  /** Canonical ids that other credentials of the workspace still see. */
  readonly seenByOthers: ReadonlySet<string>;
  readonly newId: NewId;
  readonly now: Date;
}

const KEY = /^[\x21-\x7e]{1,200}$/;
const MAX_TOKENS = 2_147_483_647;
/**
 * The names that providers' lists use for the catalogue's capabilities. Sources: OpenRouter's `supported_parameters`, Mistral's `capabilities`, Ollama's
 * `capabilities`.
 */
const CAPABILITY_OF: Readonly<Record<string, string>> = {
  tool_choice: 'tools',
  function_calling: 'tools',
  include_reasoning: 'reasoning',
  thinking: 'reasoning',
  response_format: 'json',
  structured_outputs: 'json-schema',
};

/** The entries that can be models, each key once. */
export function usableModels(listed: readonly ListedModel[]): ListedModel[] {
  const byKey = new Map(listed.filter(({ key }) => KEY.test(key)).map((model) => [model.key, model]));
  return [...byKey.values()];
}

/** Rows that a user made or copied stay as they are. In rows that a sync made, the fields that a user edited stay. */
export function compareListed(listed: readonly ListedModel[], catalogue: ComparedCatalogue): ListedChanges {
  const byKey = new Map(catalogue.rows.map((row) => [row.key, row]));
  const inserts: NewRow<'model_spec'>[] = [];
  const updates: { row: ModelSpecRow; changes: Partial<ModelSpecRow> }[] = [];
  let kept = 0;
  for (const model of listed) {
    const row = byKey.get(model.key);
    if (!row) {
      inserts.push(newListedRow(model, catalogue));
      continue;
    }
    const changes = isSynced(row, catalogue.workspaceId) ? changesOf(row, model) : {};
    if (Object.keys(changes).length > 0) updates.push({ row, changes });
    else kept += 1;
  }
  const keys = new Set(listed.map(({ key }) => key));
  const withdrawn = catalogue.rows.filter(
    (row) =>
      isSynced(row, catalogue.workspaceId) &&
      row.available &&
      !keys.has(row.key) &&
      !row.editedFields.includes('available') &&
      !catalogue.seenByOthers.has(row.canonicalId),
  );
  return { inserts, updates, withdrawn, kept };
}

function isSynced(row: ModelSpecRow, workspaceId: string): boolean {
  return row.origin === 'SYNC' && row.workspaceId === workspaceId;
}

/** The facts of the list that the row does not have yet; facts that the list leaves out stay as they are. */
function changesOf(row: ModelSpecRow, model: ListedModel): Partial<ModelSpecRow> {
  const told: Record<string, unknown> = { ...factsOf(model), available: true };
  const current = row as unknown as Record<string, unknown>;
  const differing = Object.entries(told).filter(
    ([name, value]) =>
      !row.editedFields.includes(name) && JSON.stringify(current[name]) !== JSON.stringify(value),
  );
  return Object.fromEntries(differing) as Partial<ModelSpecRow>;
}

/** The list's facts in the catalogue's words; impossible values are left out. */
function factsOf(model: ListedModel): Partial<ModelSpecRow> {
  const { displayName, contextLength, maxOutputTokens } = model;
  const input = known(model.inputModalities, INPUT_MODALITIES);
  const output = known(model.outputModalities, OUTPUT_MODALITIES);
  const capabilities = known(
    model.capabilities?.map((name) => CAPABILITY_OF[name] ?? name),
    MODEL_CAPABILITIES,
  );
  return {
    ...(displayName ? { displayName: displayName.slice(0, 200) } : {}),
    ...(isCount(contextLength) ? { contextLength } : {}),
    ...(isCount(maxOutputTokens) ? { maxOutputTokens } : {}),
    ...(input.length > 0 ? { inputModalities: input } : {}),
    ...(output.length > 0 ? { outputModalities: output } : {}),
    ...(model.capabilities ? { capabilities } : {}),
  };
}

function known(values: readonly string[] | undefined, words: readonly string[]): string[] {
  return words.filter((word) => values?.includes(word));
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isInteger(value) && value > 0 && value <= MAX_TOKENS;
}

/** The row of a model that the catalogue did not know. */
export function newListedRow(
  model: ListedModel,
  { workspaceId, providerKey, newId, now }: Omit<ComparedCatalogue, 'rows' | 'seenByOthers'>,
): NewRow<'model_spec'> {
  const name = { id: newId(), workspaceId, providerKey, key: model.key };
  return newModelRow(name, { origin: 'SYNC', ...factsOf(model) }, now);
}
