// Owns how columns are derived from the properties of an entity, so that each is named once: its SQL name and type, lists of them, and the mapping of
// what is written.
import { types } from '@mikro-orm/core';

export interface Column {
  /** The column's name in SQL. */
  readonly name: string;
  readonly type: string;
  /** The path of the value in a record: `costNano`, or `usage.inputTokens`. */
  readonly path: string;
}

/** A property of an entity, or the SQL type of a value that only a function of the database takes. */
type Property = string | { readonly '~options': { readonly type?: unknown } };

const SQL_TYPES: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [types.uuid, 'uuid'],
  [types.text, 'text'],
  [types.json, 'jsonb'],
  [types.integer, 'int'],
  [types.bigint, 'bigint'],
  [types.boolean, 'boolean'],
  [types.datetime, 'timestamptz'],
  [types.array, 'text[]'],
]);

export function columnsOf(properties: Readonly<Record<string, Property>>): Column[] {
  return Object.entries(properties).map(([field, property]) => ({
    name: snakeCase(field),
    type: typeof property === 'string' ? property : sqlTypeOf(field, property['~options'].type),
    path: field,
  }));
}

/** The same columns, for values that stand in an object within the record. */
export function within(object: string, columns: readonly Column[]): Column[] {
  return columns.map((column) => ({ ...column, path: `${object}.${column.path}` }));
}

function sqlTypeOf(field: string, type: unknown): string {
  const known = SQL_TYPES.get(type) ?? SQL_TYPES.get((type as object | undefined)?.constructor);
  if (known === undefined) throw new Error(`No SQL type is known for the property ${field}`);
  return known;
}

/** `id, caller`, or `run.id, run.caller` with the alias of a table. */
export function listed(columns: readonly Column[], alias?: string): string {
  return columns.map(({ name }) => (alias === undefined ? name : `${alias}.${name}`)).join(', ');
}

/** `id uuid, caller text`: the column list that a recordset declares. */
export function declared(columns: readonly Column[]): string {
  return columns.map(({ name, type }) => `${name} ${type}`).join(', ');
}

/** `caller = item.caller, model = item.model` */
export function assigned(columns: readonly Column[], alias: string): string {
  return columns.map(({ name }) => `${name} = ${alias}.${name}`).join(', ');
}

/**
 * Makes a function that turns a record into the row that is sent as JSON. It is compiled, as validators of JSON Schemas are, because a loop over the
 * columns would take twice as long for every completion. Its text holds only names and paths of entities, nothing from outside.
 */
export function rowMapper<Written extends object>(
  columns: readonly Column[],
): (record: Written) => Record<string, unknown> {
  const values = columns.map(({ name, path, type }) =>
    type === 'bigint' ? `${name}: record.${path}?.toString()` : `${name}: record.${path}`,
  );
  return new Function('record', `return { ${values.join(', ')} }`) as ReturnType<typeof rowMapper<Written>>;
}

/** A record with a value for each of these fields; JSON fields may have any object type. */
export type Written<Row, Fields extends keyof Row> = {
  readonly [Field in Fields]-?: WrittenValue<Exclude<Row[Field], undefined>>;
};
type WrittenValue<Value> = Value extends string | number | bigint | boolean | Date | null
  ? Value
  : Value extends readonly string[]
    ? readonly string[]
    : Value extends readonly unknown[]
      ? readonly object[]
      : object;

/** For what is written seldom: each field under its column's name. */
export function toRow(record: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([field, value]) => [snakeCase(field), value]));
}

function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
