// Owns the execution of subscriptions: the operation's arguments are used once, to open the stream, and each event is then executed without them.
//
// graphql-js executes the whole operation again for each event: it reads every variable and every argument of the root field, which may hold a long
// prompt, though only the resolver that opens the stream uses them. Here events are executed against a view of the schema whose subscriptions have no
// arguments, by an operation that declares only the variables that its selection needs.
import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLFieldConfig,
  GraphQLObjectType,
  GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  visit,
} from 'graphql';

type ExecuteEvent = (event: unknown) => ExecutionResult | Promise<ExecutionResult>;

export class EventExecution {
  readonly #view: GraphQLSchema;
  readonly #documents = new WeakMap<DocumentNode, Map<string, DocumentNode>>();

  constructor(schema: GraphQLSchema) {
    this.#view = viewOf(schema);
  }

  /** Has the contract of graphql-js' `subscribe`. */
  async subscribe(args: ExecutionArgs): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
    const source = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in source)) return source;
    const events = source[Symbol.asyncIterator]();
    const executeEvent = this.of(args);
    const answers: AsyncIterableIterator<ExecutionResult> = {
      [Symbol.asyncIterator]: () => answers,
      async next() {
        const { value, done } = await events.next();
        return done ? { value: undefined, done } : { value: await executeEvent(value), done: false };
      },
      async return() {
        await events.return?.();
        return { value: undefined, done: true };
      },
    };
    return answers;
  }

  /** The function that executes the events of a stream that the operation has opened. */
  of(args: ExecutionArgs): ExecuteEvent {
    const operation = { ...args, schema: this.#view, document: this.#documentOf(args) };
    return (event) => execute({ ...operation, rootValue: event });
  }

  #documentOf({ document, operationName }: ExecutionArgs): DocumentNode {
    const known = this.#documents.get(document) ?? new Map<string, DocumentNode>();
    this.#documents.set(document, known);
    const made = known.get(operationName ?? '') ?? withoutArguments(document, operationName);
    known.set(operationName ?? '', made);
    return made;
  }
}

/** The schema with the same types, in which no subscription has arguments. */
function viewOf(schema: GraphQLSchema): GraphQLSchema {
  const config = schema.toConfig();
  const { subscription } = config;
  if (!subscription) return schema;
  const fields: Record<string, GraphQLFieldConfig<unknown, unknown>> = {};
  for (const [name, { type }] of Object.entries(subscription.getFields())) {
    fields[name] = { type, resolve: (event) => event };
  }
  return new GraphQLSchema({
    ...config,
    types: config.types.filter((type) => type !== subscription),
    subscription: new GraphQLObjectType({ name: subscription.name, fields }),
    assumeValid: true,
  });
}

function withoutArguments(document: DocumentNode, operationName?: string | null): DocumentNode {
  const operation = getOperationAST(document, operationName);
  if (!operation) return document;
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  const bare: OperationDefinitionNode = {
    ...operation,
    variableDefinitions: [],
    selectionSet: {
      ...operation.selectionSet,
      selections: operation.selectionSet.selections.map(withoutOwnArguments),
    },
  };
  const used = new Set<string>();
  const definitions = [bare, ...fragments];
  visit({ kind: Kind.DOCUMENT, definitions }, { Variable: ({ name }) => void used.add(name.value) });
  const variableDefinitions = operation.variableDefinitions?.filter(({ variable }) =>
    used.has(variable.name.value),
  );
  return {
    kind: Kind.DOCUMENT,
    definitions: [{ ...bare, variableDefinitions: variableDefinitions ?? [] }, ...fragments],
  };
}

function withoutOwnArguments(selection: SelectionNode): SelectionNode {
  return selection.kind === Kind.FIELD ? { ...selection, arguments: [] } : selection;
}
