// Owns Relay connections: their arguments within bounds, opaque cursors, and the types of each list.
import type { GraphQLResolveInfo } from 'graphql';
import { ArgsType, type ClassType, Field, Int, ObjectType } from 'type-graphql';
import { GatewayError } from '../kernel/errors.ts';
import { parseJson } from '../kernel/json.ts';

const DEFAULT_PAGE_SIZE = 20;
const MAX_PAGE_SIZE = 100;

@ObjectType('PageInfo', { description: 'The position of a page in its list.', simpleResolvers: true })
export class PageInfoType {
  @Field(() => Boolean, { description: 'Whether entries follow this page.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'Whether entries precede this page.' })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first edge.' })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the last edge.' })
  endCursor!: string | null;
}

@ArgsType()
export class ConnectionArgs {
  @Field(() => Int, {
    nullable: true,
    description: 'How many entries from the start (or after `after`): 1 to 100. Default 20.',
  })
  first?: number;

  @Field(() => String, { nullable: true, description: 'The page begins after the entry with this cursor.' })
  after?: string;

  @Field(() => Int, {
    nullable: true,
    description: 'How many entries from the end (or before `before`): 1 to 100.',
  })
  last?: number;

  @Field(() => String, { nullable: true, description: 'The page ends before the entry with this cursor.' })
  before?: string;
}

/** The page that a service is asked for: a number of rows after a position, or before it if `backward`. */
export interface PageRequest<Position> {
  readonly limit: number;
  readonly backward: boolean;
  readonly beyond: Position | undefined;
}

/** Rows in the list's own order. To see whether more follow, one more than `limit` was read. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly hasMore: boolean;
}

export interface Connection<Node> {
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
  readonly nodes: readonly Node[];
  readonly pageInfo: PageInfoType;
  /** Set if the operation asks for it. */
  readonly totalCount: number | undefined;
}

/** Raises `BAD_USER_INPUT` that names the argument. */
export function toPageRequest<Position>(
  args: ConnectionArgs,
  readPosition: (value: unknown) => Position | undefined,
): PageRequest<Position> {
  const { first, after, last, before } = args;
  if (first != null && last != null) refuse('last', 'give either "first" or "last"');
  if (first != null && before != null) refuse('before', 'goes with "last", not with "first"');
  if (last != null && after != null) refuse('after', 'goes with "first", not with "last"');
  const backward = last != null || (before != null && first == null);
  const [name, size] = backward ? (['last', last] as const) : (['first', first] as const);
  const limit = size ?? DEFAULT_PAGE_SIZE;
  if (limit < 1 || limit > MAX_PAGE_SIZE) refuse(name, `must be 1 to ${MAX_PAGE_SIZE}`);
  const [cursorName, cursor] = backward ? (['before', before] as const) : (['after', after] as const);
  if (cursor == null) return { limit, backward, beyond: undefined };
  const beyond = readPosition(parseJson(Buffer.from(cursor, 'base64url').toString()));
  if (beyond === undefined) refuse(cursorName, 'is not a cursor of this list in this order');
  return { limit, backward, beyond };
}

export function toCursor(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

export function toConnection<Row, Node>(
  page: Page<Row>,
  request: PageRequest<unknown>,
  totalCount: number | undefined,
  shape: { readonly node: (row: Row) => Node; readonly position: (row: Row) => unknown },
): Connection<Node> {
  const edges = page.rows.map((row) => ({ cursor: toCursor(shape.position(row)), node: shape.node(row) }));
  const beyondCursor = request.beyond !== undefined;
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage: request.backward ? beyondCursor : page.hasMore,
      hasPreviousPage: request.backward ? page.hasMore : beyondCursor,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount,
  };
}

/** How a service lists rows whose ids sort by time: newest first, in pages after an id. */
export interface TimeOrdered<Row extends { readonly id: string }, Node> {
  readonly isId: (text: string) => boolean;
  list(page: { limit: number; backward: boolean; beyondId?: string }): Promise<Row[]>;
  count(): Promise<number>;
  node(row: Row): Node;
}

export async function connectByTime<Row extends { readonly id: string }, Node>(
  args: ConnectionArgs,
  info: GraphQLResolveInfo,
  { isId, list, count, node }: TimeOrdered<Row, Node>,
): Promise<Connection<Node>> {
  const request = toPageRequest(args, (position) =>
    typeof position === 'string' && isId(position) ? position : undefined,
  );
  const { limit, backward, beyond } = request;
  const [rows, totalCount] = await Promise.all([
    list({ limit, backward, ...(beyond === undefined ? {} : { beyondId: beyond }) }),
    wantsTotalCount(info) ? count() : undefined,
  ]);
  return toConnection(cutPage(rows, request), request, totalCount, { node, position: ({ id }) => id });
}

/** True for an id that is a whole number, counted up by the database. */
export function isCounter(text: string): boolean {
  return /^\d{1,18}$/.test(text);
}

/** Cuts the rows that were read (up to one too many, in reading order) to the page, in the list's own order. */
export function cutPage<Row>(read: readonly Row[], request: PageRequest<unknown>): Page<Row> {
  const rows = read.slice(0, request.limit);
  return { rows: request.backward ? rows.reverse() : rows, hasMore: read.length > request.limit };
}

/** True if the operation asks for `totalCount`, so that rows are counted only then. A fragment counts as asking for it. */
export function wantsTotalCount({ fieldNodes }: GraphQLResolveInfo): boolean {
  return fieldNodes.some(({ selectionSet }) =>
    selectionSet?.selections.some(
      (selection) => selection.kind !== 'Field' || selection.name.value === 'totalCount',
    ),
  );
}

/** The connection and edge types of one kind of node. */
export function connectionOf<Node extends object>(nodeType: () => ClassType<Node>, name: string) {
  @ObjectType(`${name}Edge`, { description: `One ${name} of a list.`, simpleResolvers: true })
  class EdgeType {
    @Field(() => String, { description: 'Opaque position in the list.' })
    cursor!: string;

    @Field(nodeType, { description: `The ${name} itself.` })
    node!: Node;
  }

  @ObjectType(`${name}Connection`, { description: `A page of a list of ${name}.`, simpleResolvers: true })
  class ConnectionType {
    @Field(() => [EdgeType], { description: 'The page, with a cursor for each.' })
    edges!: EdgeType[];

    @Field(() => [nodeType()], { description: 'The page, without cursors.' })
    nodes!: Node[];

    @Field(() => PageInfoType, { description: 'The position of the page in the list.' })
    pageInfo!: PageInfoType;

    @Field(() => Int, { description: 'Number of all entries that fit the filter.' })
    totalCount!: number;
  }
  return ConnectionType;
}

function refuse(path: string, message: string): never {
  throw new GatewayError('BAD_USER_INPUT', `${path}: ${message}`, { path });
}
