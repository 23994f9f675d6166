// Owns looking up one row by its id or by its natural name.

import type { CatalogueRow, CatalogueTable } from '../../domain/catalogue/catalogue-service.ts';
import { GatewayError } from '../../kernel/errors.ts';
import type { GraphContext } from '../context.ts';
import { type NodeTypeName, requireGlobalId } from '../global-id.ts';

const NODE_TYPES: { readonly [Table in CatalogueTable]: NodeTypeName } = {
  provider_spec: 'ProviderSpec',
  model_spec: 'ModelSpec',
  provider_config: 'ProviderConfig',
  model_instance: 'ModelInstance',
};

/** Raises `BAD_USER_INPUT` unless exactly one of the two is given, `NOT_FOUND` if the viewer sees no such row. */
export async function lookUp<Table extends CatalogueTable>(
  { loaders }: GraphContext,
  table: Table,
  id: string | null | undefined,
  nameArgument: string,
  name: string | null | undefined,
): Promise<CatalogueRow<Table>> {
  if ((id == null) === (name == null)) {
    throw new GatewayError('BAD_USER_INPUT', `id: give exactly one of "id" and "${nameArgument}"`, {
      path: 'id',
    });
  }
  const type = NODE_TYPES[table];
  const row =
    id == null
      ? await loaders.catalogue.byName(table, name ?? '')
      : await loaders.catalogue.byId(table, requireGlobalId(type, id));
  if (!row) {
    const words = id == null ? `${nameArgument} "${(name ?? '').slice(0, 200)}"` : 'this id';
    throw new GatewayError('NOT_FOUND', `There is no ${type} with ${words}`);
  }
  return row;
}
