// Owns the measure of an operation before it is executed: how deep, how many aliases, and how many fields it may come to at most.
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  getOperationAST,
  Kind,
  type SelectionSetNode,
} from 'graphql';

export interface OperationBounds {
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxCost: number;
}

export interface OperationMeasure {
  readonly depth: number;
  readonly aliases: number;
  /** Fields, each counted as often as the lists above it are long at most. */
  readonly cost: number;
}

type Variables = Readonly<Record<string, unknown>> | null | undefined;

/** Arguments that say how long a list may become; without one it is of the default length. */
const LENGTH_ARGUMENTS = ['first', 'last'];
const ID_LIST_ARGUMENT = 'ids';
const DEFAULT_LENGTH = 20;
const MAX_LENGTH = 100;

/** Raises a `GraphQLError` with the code `QUERY_TOO_COMPLEX`, and the cost in its extensions. The document is valid already. */
export function boundOperation(
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Variables,
  bounds: OperationBounds,
): void {
  const { depth, aliases, cost } = measureOperation(document, operationName, variables);
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

export function measureOperation(
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Variables,
): OperationMeasure {
  const operation = getOperationAST(document, operationName);
  if (!operation) return NOTHING;
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  return new Measuring(fragments, variables).selection(operation.selectionSet);
}

const NOTHING: OperationMeasure = { depth: 0, aliases: 0, cost: 0 };

class Measuring {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #variables: Variables;
  /** Each fragment is measured once, however often it is spread: the document of a bomb is short, and so is its measure. */
  readonly #measured = new Map<string, OperationMeasure>();

  constructor(fragments: ReadonlyMap<string, FragmentDefinitionNode>, variables: Variables) {
    this.#fragments = fragments;
    this.#variables = variables;
  }

  selection({ selections }: SelectionSetNode): OperationMeasure {
    let depth = 0;
    let aliases = 0;
    let cost = 0;
    for (const selection of selections) {
      const part =
        selection.kind === Kind.FIELD
          ? this.#field(selection)
          : selection.kind === Kind.INLINE_FRAGMENT
            ? this.selection(selection.selectionSet)
            : this.#fragment(selection.name.value);
      depth = Math.max(depth, part.depth);
      aliases += part.aliases;
      cost += part.cost;
    }
    return { depth, aliases, cost };
  }

  #field(field: FieldNode): OperationMeasure {
    // The schema's own description is of a known size, and can be switched off.
    if (field.name.value.startsWith('__')) return { depth: 1, aliases: 0, cost: 1 };
    const aliases = field.alias ? 1 : 0;
    if (!field.selectionSet) return { depth: 1, aliases, cost: 1 };
    const below = this.selection(field.selectionSet);
    return {
      depth: below.depth + 1,
      aliases: below.aliases + aliases,
      cost: 1 + below.cost * this.#lengthOf(field),
    };
  }

  #fragment(name: string): OperationMeasure {
    const known = this.#measured.get(name);
    if (known) return known;
    const fragment = this.#fragments.get(name);
    // Set first, so that a cycle in a document that nobody validated ends.
    this.#measured.set(name, NOTHING);
    const measure = fragment ? this.selection(fragment.selectionSet) : NOTHING;
    this.#measured.set(name, measure);
    return measure;
  }

  /** How long the list of this field may become; a connection says so by `first` or `last`, its `nodes` and `edges` are that same list. */
  #lengthOf(field: FieldNode): number {
    for (const { name, value } of field.arguments ?? []) {
      if (name.value === ID_LIST_ARGUMENT) return this.#countOf(value);
      if (!LENGTH_ARGUMENTS.includes(name.value)) continue;
      const length =
        value.kind === Kind.INT
          ? Number(value.value)
          : value.kind === Kind.VARIABLE
            ? Number(this.#variables?.[value.name.value] ?? DEFAULT_LENGTH)
            : DEFAULT_LENGTH;
      return Number.isFinite(length) ? Math.min(Math.max(length, 1), MAX_LENGTH) : MAX_LENGTH;
    }
    return isConnection(field) ? DEFAULT_LENGTH : 1;
  }

  #countOf(value: NonNullable<FieldNode['arguments']>[number]['value']): number {
    if (value.kind === Kind.LIST) return Math.max(1, value.values.length);
    const given = value.kind === Kind.VARIABLE ? this.#variables?.[value.name.value] : undefined;
    return Array.isArray(given) ? Math.min(Math.max(1, given.length), MAX_LENGTH) : 1;
  }
}

/** By what is asked of it: `nodes` or `edges` are of connections only. */
function isConnection({ selectionSet }: FieldNode): boolean {
  return (
    selectionSet?.selections.some(
      (selection) => selection.kind === Kind.FIELD && ['nodes', 'edges'].includes(selection.name.value),
    ) ?? false
  );
}
