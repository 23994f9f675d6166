// Owns what each provider takes of JSON Schema where it holds a model to a schema: a table by dialect, read by the one translator.

export type SchemaDialectName = 'claude' | 'openai-strict';

export interface SchemaDialect {
  /** Keywords that bound a value and that the provider takes. The others are told to the model in the description. */
  readonly bounds: ReadonlySet<string>;
  /** Values of `format` that the provider takes. */
  readonly formats: ReadonlySet<string>;
  /** The greatest `minItems` that the provider takes. */
  readonly greatestMinItems: number;
  /** Whether every property has to be required: what was optional may then be null. */
  readonly requiresAll: boolean;
  /** Whether the root has to be an object, and every schema has to name its type. */
  readonly typed: boolean;
  /** Whether a schema may contain itself. */
  readonly recursive: boolean;
}

const FORMATS = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'];

export const SCHEMA_DIALECTS: Readonly<Record<SchemaDialectName, SchemaDialect>> = {
  /** Anthropic and Bedrock. https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations */
  claude: {
    bounds: new Set(['default']),
    formats: new Set([...FORMATS, 'uri']),
    greatestMinItems: 1,
    requiresAll: false,
    typed: false,
    recursive: false,
  },
  /** OpenAI and Azure with `strict`. https://platform.openai.com/docs/guides/structured-outputs#supported-schemas */
  'openai-strict': {
    bounds: new Set([
      'pattern',
      'multipleOf',
      'minimum',
      'exclusiveMinimum',
      'maximum',
      'exclusiveMaximum',
      'maxItems',
    ]),
    formats: new Set(FORMATS),
    greatestMinItems: Number.POSITIVE_INFINITY,
    requiresAll: true,
    typed: true,
    recursive: true,
  },
};
