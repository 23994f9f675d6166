// Owns the setting of prices. Each price is a new version, so that the prices of past runs stay known.
import { GatewayError, StorageError } from '../../kernel/errors.ts';
import { InputCheck } from '../../kernel/input-check.ts';
import type { Nano } from '../../kernel/money.ts';
import type { PriceTier, PriceVersionEntity } from '../../storage/entities/price-version.entity.ts';
import { requireScope, type Viewer } from '../identity/viewer.ts';
import { type PriceRules, requireMayPrice } from './price-permission.ts';
import { type CatalogueDependencies, ownerOfNew, type RowOwner } from './row-ownership.ts';
import type { ModelSpecRow, PriceRow } from './snapshot.ts';

/** Nano-dollars per million tokens; a rate that is left out is that of plain input or output. */
export interface Rates {
  readonly input: Nano;
  readonly output: Nano;
  readonly cacheRead?: Nano;
  readonly cacheWrite?: Nano;
}

export interface PriceFields extends Rates {
  readonly reasoning?: Nano;
  readonly tiers: readonly (Rates & { readonly aboveInputTokens: number })[];
  /** Default: now. */
  readonly effectiveAt?: Date;
  /** Where it comes from, for people. */
  readonly source?: string;
}

/** 1,000,000 dollars per million tokens. */
const MAX_RATE: Nano = 1_000_000n * 1_000_000_000n;
const MAX_TOKENS = 2_147_483_647;

export class PriceService {
  readonly #needs: CatalogueDependencies & PriceRules;

  constructor(needs: CatalogueDependencies & PriceRules) {
    this.#needs = needs;
  }

  /** Price versions that the workspace sees, by canonical id, newest first: its own, or if it has none the installation's. */
  async of(viewer: Viewer, canonicalIds: readonly string[]): Promise<ReadonlyMap<string, PriceRow[]>> {
    const rows = await this.#needs.reads.prices(viewer.workspaceId, canonicalIds);
    const byModel = Map.groupBy(rows, ({ canonicalId }) => canonicalId);
    for (const [canonicalId, versions] of byModel) {
      const own = versions.filter(({ workspaceId }) => workspaceId === viewer.workspaceId);
      if (own.length > 0) byModel.set(canonicalId, own);
    }
    return byModel;
  }

  /** Gives the model whose price was set. Raises `BAD_USER_INPUT` with every problem, `NOT_FOUND`, `CONFLICT` or `FORBIDDEN`. */
  async set(
    viewer: Viewer,
    canonicalId: string,
    fields: PriceFields,
    owner?: RowOwner,
  ): Promise<ModelSpecRow> {
    requireScope(viewer, 'catalogue');
    requireMayPrice(this.#needs, viewer, 'input');
    const workspaceId = ownerOfNew(viewer, owner);
    const [model] = await this.#needs.reads.byNames('model_spec', viewer.workspaceId, [canonicalId]);
    if (!model) {
      throw new GatewayError('NOT_FOUND', 'There is no model with this canonical id', {
        path: 'canonicalId',
      });
    }
    const now = this.#needs.clock.now();
    const check = new InputCheck();
    checkPrice(check, fields);
    if (fields.effectiveAt && fields.effectiveAt < now) {
      check.add('effectiveAt', 'must not lie in the past: what has run was charged by the price of its time');
    }
    check.raise();
    try {
      await this.#needs.writes.addPrice(
        {
          id: this.#needs.newId(),
          workspaceId,
          canonicalId,
          inputNanoPerMillion: fields.input,
          outputNanoPerMillion: fields.output,
          cacheReadNanoPerMillion: fields.cacheRead ?? null,
          cacheWriteNanoPerMillion: fields.cacheWrite ?? null,
          reasoningNanoPerMillion: fields.reasoning ?? null,
          tiers: fields.tiers.map(toPriceTier).sort((a, b) => a.aboveInputTokens - b.aboveInputTokens),
          source: fields.source ?? `set by ${viewer.caller}`,
          effectiveAt: fields.effectiveAt ?? now,
          createdAt: now,
        } as PriceVersionEntity,
        viewer,
      );
    } catch (error) {
      if (!(error instanceof StorageError) || error.kind !== 'conflict') throw error;
      throw new GatewayError('CONFLICT', 'effectiveAt: a price of that moment exists already; take another', {
        path: 'effectiveAt',
        cause: error,
      });
    }
    await this.#needs.refresh();
    return model;
  }
}

function checkPrice(check: InputCheck, fields: PriceFields): void {
  checkRates(check, '', fields);
  checkRate(check, 'reasoning', fields.reasoning);
  check.text('source', fields.source);
  const bounds = fields.tiers.map(({ aboveInputTokens }) => aboveInputTokens);
  if (new Set(bounds).size < bounds.length)
    check.add('tiers', 'two tiers begin at the same number of tokens');
  for (const [index, tier] of fields.tiers.entries()) {
    check.integer(`tiers.${index}.aboveInputTokens`, tier.aboveInputTokens, 1, MAX_TOKENS);
    checkRates(check, `tiers.${index}.`, tier);
  }
}

function checkRates(check: InputCheck, prefix: string, rates: Rates): void {
  for (const name of ['input', 'output', 'cacheRead', 'cacheWrite'] as const) {
    checkRate(check, `${prefix}${name}`, rates[name]);
  }
}

function checkRate(check: InputCheck, path: string, rate: Nano | undefined): void {
  if (rate !== undefined && (rate < 0n || rate > MAX_RATE)) {
    check.add(path, 'must be a price of 0 to 1000000 dollars per million tokens');
  }
}

function toPriceTier(tier: PriceFields['tiers'][number]): PriceTier {
  const { aboveInputTokens, input, output, cacheRead, cacheWrite } = tier;
  return {
    aboveInputTokens,
    input: input.toString(),
    output: output.toString(),
    ...(cacheRead === undefined ? {} : { cacheRead: cacheRead.toString() }),
    ...(cacheWrite === undefined ? {} : { cacheWrite: cacheWrite.toString() }),
  };
}
