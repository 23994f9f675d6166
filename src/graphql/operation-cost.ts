// Owns the measure of an operation before it is executed: its depth, its number of aliases, and the largest number of fields it may return.
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionSetNode,
  type ValueNode,
  valueFromASTUntyped,
} from 'graphql';

export interface OperationBounds {
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxCost: number;
}

export interface OperationMeasure {
  readonly depth: number;
  readonly aliases: number;
  /** Number of fields, each multiplied by the largest lengths of the lists above it. */
  readonly cost: number;
}

export interface MeasuredOperation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
}

/** Arguments that set how long a list may become; without them the default length counts. */
const LENGTH_ARGUMENTS = ['first', 'last'];
const ID_LIST_ARGUMENT = 'ids';
const DEFAULT_LENGTH = 20;
const MAX_LENGTH = 100;

/** Raises a `GraphQLError` with the code `QUERY_TOO_COMPLEX`, and the cost in its extensions. The document has been validated before. */
export function boundOperation(measured: MeasuredOperation, bounds: OperationBounds): void {
  const { depth, aliases, cost } = measureOperation(measured);
  const over =
    (depth > bounds.maxDepth && `is ${depth} levels deep, of at most ${bounds.maxDepth}`) ||
    (aliases > bounds.maxAliases && `has ${aliases} aliases, of at most ${bounds.maxAliases}`) ||
    (cost > bounds.maxCost &&
      `may come to ${cost} fields, of at most ${bounds.maxCost}; ask for shorter lists`);
  if (!over) return;
  throw new GraphQLError(`The operation ${over}`, {
    extensions: { code: 'QUERY_TOO_COMPLEX', cost, depth, aliases, http: { status: 400 } },
  });
}

export function measureOperation({
  schema,
  document,
  operationName,
  variables,
}: MeasuredOperation): OperationMeasure {
  const operation = getOperationAST(document, operationName);
  if (!operation) return NOTHING;
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const valueOfVariable = (name: string): unknown => {
    if (variables?.[name] !== undefined) return variables[name];
    const defined = operation.variableDefinitions?.find(({ variable }) => variable.name.value === name);
    return defined?.defaultValue && valueFromASTUntyped(defined.defaultValue);
  };
  const root = schema.getRootType(operation.operation);
  return new Measuring(schema, fragments, valueOfVariable).selection(operation.selectionSet, root);
}

const NOTHING: OperationMeasure = { depth: 0, aliases: 0, cost: 0 };

class Measuring {
  readonly #schema: GraphQLSchema;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** The value of a variable: the given one, else its default. */
  readonly #valueOfVariable: (variable: string) => unknown;
  /** Each fragment is measured once, however often it is spread, so that a small document whose fragments multiply is measured quickly. */
  readonly #measured = new Map<string, OperationMeasure>();

  constructor(
    schema: GraphQLSchema,
    fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    valueOfVariable: (variable: string) => unknown,
  ) {
    this.#schema = schema;
    this.#fragments = fragments;
    this.#valueOfVariable = valueOfVariable;
  }

  selection({ selections }: SelectionSetNode, type: GraphQLNamedType | null | undefined): OperationMeasure {
    let depth = 0;
    let aliases = 0;
    let cost = 0;
    for (const selection of selections) {
      const part =
        selection.kind === Kind.FIELD
          ? this.#field(selection, type)
          : selection.kind === Kind.INLINE_FRAGMENT
            ? this.selection(
                selection.selectionSet,
                this.#typeOf(selection.typeCondition?.name.value) ?? type,
              )
            : this.#fragment(selection.name.value);
      depth = Math.max(depth, part.depth);
      aliases += part.aliases;
      cost += part.cost;
    }
    return { depth, aliases, cost };
  }

  #field(field: FieldNode, parent: GraphQLNamedType | null | undefined): OperationMeasure {
    // Introspection has a known size, and can be switched off.
    if (field.name.value.startsWith('__')) return { depth: 1, aliases: 0, cost: 1 };
    const aliases = field.alias ? 1 : 0;
    if (!field.selectionSet) return { depth: 1, aliases, cost: 1 };
    const type = fieldType(parent, field.name.value);
    const below = this.selection(field.selectionSet, type);
    return {
      depth: below.depth + 1,
      aliases: below.aliases + aliases,
      cost: 1 + below.cost * this.#lengthOf(field, type),
    };
  }

  #fragment(name: string): OperationMeasure {
    const known = this.#measured.get(name);
    if (known) return known;
    const fragment = this.#fragments.get(name);
    // Noted before the fragment is entered, so that a cycle of fragments ends: the document has not been validated yet.
    this.#measured.set(name, NOTHING);
    const measure = fragment
      ? this.selection(fragment.selectionSet, this.#typeOf(fragment.typeCondition.name.value))
      : NOTHING;
    this.#measured.set(name, measure);
    return measure;
  }

  #typeOf(name: string | undefined): GraphQLNamedType | undefined {
    return name === undefined ? undefined : this.#schema.getType(name);
  }

  /** How long the list of this field may become. `first` or `last` of a connection set it; its `nodes` and `edges` are that same list. */
  #lengthOf(field: FieldNode, type: GraphQLNamedType | undefined): number {
    const asked: number[] = [];
    for (const { name, value } of field.arguments ?? []) {
      if (name.value === ID_LIST_ARGUMENT) return this.#countOf(value);
      const length = LENGTH_ARGUMENTS.includes(name.value) ? this.#given(value) : null;
      if (length != null) asked.push(Number(length));
    }
    if (asked.length === 0) return isConnection(type) ? DEFAULT_LENGTH : 1;
    const longest = Math.max(...asked);
    return Number.isFinite(longest) ? Math.min(Math.max(longest, 1), MAX_LENGTH) : MAX_LENGTH;
  }

  #countOf(value: ValueNode): number {
    if (value.kind === Kind.LIST) return Math.max(1, value.values.length);
    const given = this.#given(value);
    return Array.isArray(given) ? Math.min(Math.max(1, given.length), MAX_LENGTH) : 1;
  }

  #given(value: ValueNode): unknown {
    return value.kind === Kind.VARIABLE
      ? this.#valueOfVariable(value.name.value)
      : valueFromASTUntyped(value);
  }
}

function fieldType(parent: GraphQLNamedType | null | undefined, name: string): GraphQLNamedType | undefined {
  if (!isObjectType(parent) && !isInterfaceType(parent)) return undefined;
  return getNamedType(parent.getFields()[name]?.type);
}

/** True for a connection type, whichever of its fields and fragments are selected. */
function isConnection(type: GraphQLNamedType | undefined): boolean {
  return isObjectType(type) && 'pageInfo' in type.getFields();
}
