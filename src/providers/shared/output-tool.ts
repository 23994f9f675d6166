// Owns the tool by which a model without JSON Schema output is made to give such output: the arguments of its call are the answer.
import type { ResponseFormat, Tool } from '../contract/completions.ts';

type SchemaFormat = Extract<ResponseFormat, { type: 'json-schema' }>;

export function outputToolOf(format: SchemaFormat, tools: readonly Tool[]): Tool {
  const name = format.name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 56) || 'answer';
  return {
    name: tools.some((tool) => tool.name === name) ? `${name}_output` : name,
    description: format.description ?? 'Gives the answer to the user. Call it once, at the end.',
    parameters: format.schema,
  };
}
