// Owns the reading of a page of the catalogue: at the root, or below a parent, for all parents of the request in one query.
import type { GraphQLResolveInfo } from 'graphql';
import type {
  CatalogueRow,
  CatalogueTable,
  ListedRow,
  ListQuery,
} from '../../domain/catalogue/catalogue-service.ts';
import { isUuid } from '../../kernel/ids.ts';
import {
  type Connection,
  type ConnectionArgs,
  cutPage,
  toConnection,
  toPageRequest,
  wantsTotalCount,
} from '../connection.ts';
import type { GraphContext } from '../context.ts';
import { SortDirection } from './catalogue.enums.ts';
import type { ParentColumn } from './catalogue-loaders.ts';

export interface PageOf<Table extends CatalogueTable, Node> {
  readonly table: Table;
  readonly args: ConnectionArgs;
  readonly filter: ListQuery<Table>['filter'];
  readonly order: ListQuery<Table>['order'];
  /** Absent: the root list. */
  readonly parent?: { readonly column: ParentColumn; readonly value: string };
  readonly toNode: (row: CatalogueRow<Table>) => Node;
}

/** `orderBy` as the graph takes it, or the default. */
export function toOrder<Field extends string>(
  orderBy: { readonly field: Field; readonly direction?: SortDirection | null } | null | undefined,
  otherwise: Field,
): { readonly field: Field; readonly descending: boolean } {
  return {
    field: orderBy?.field ?? otherwise,
    descending: orderBy?.direction === SortDirection.DESC,
  };
}

export async function readPage<Table extends CatalogueTable, Node>(
  { viewer, services, loaders }: GraphContext,
  info: GraphQLResolveInfo,
  page: PageOf<Table, Node>,
): Promise<Connection<Node>> {
  const { table, filter, order, parent } = page;
  const orderName = `${order.field} ${order.descending}`;
  const request = toPageRequest(page.args, (position) => readPosition(position, orderName));
  const { limit, backward, beyond } = request;
  const query = { filter, order, limit, backward, ...(beyond ? { beyond } : {}) };
  const counts = wantsTotalCount(info);
  const [rows, totalCount] = parent
    ? await Promise.all([
        loaders.catalogue.listOf(table, parent.column, parent.value, query),
        counts ? loaders.catalogue.countOf(table, parent.column, parent.value, filter) : undefined,
      ])
    : await Promise.all([
        services.catalogue.list(viewer, table, query),
        counts
          ? services.catalogue.count(viewer, table, { filter }).then((found) => found.get('') ?? 0)
          : undefined,
      ]);
  return toConnection(cutPage<ListedRow<CatalogueRow<Table>>>(rows, request), request, totalCount, {
    node: ({ row }) => page.toNode(row),
    position: ({ row, sortValue }) => [orderName, sortValue, row.id],
  });
}

/** The position of a cursor; it is valid only for the order in which it was made. */
function readPosition(position: unknown, orderName: string): readonly [string, string] | undefined {
  if (!Array.isArray(position) || position.length !== 3) return undefined;
  const [order, value, id] = position as unknown[];
  if (order !== orderName || typeof value !== 'string' || typeof id !== 'string' || !isUuid(id))
    return undefined;
  return [value, id];
}
