// Owns how a request's strict schemas are brought into the form that OpenAI demands of them, for both of its protocols.
import type { ProviderRequest, Tool, Unsupported } from '../contract/completions.ts';
import { translateSchema } from './translate-schema.ts';

/** What cannot be held to its schema is asked for without `strict`, and told in `unsupported`. The given request itself where nothing changes. */
export function withStrictSchemas(request: ProviderRequest): {
  readonly request: ProviderRequest;
  readonly unsupported: readonly Unsupported[];
} {
  const { tools, responseFormat: format } = request;
  const unsupported: Unsupported[] = [];
  const refuse = (path: string, fault: string): void => {
    const message = `The provider ${request.target.providerKey} cannot hold a model to the schema: ${fault}.`;
    unsupported.push({ path, message });
  };
  const strictFormat = format?.type === 'json-schema' && format.strict === true ? format : undefined;
  if (!strictFormat && !tools.some(({ strict }) => strict === true)) return { request, unsupported };
  const fitted = {
    ...request,
    tools: tools.map((tool, index) =>
      tool.strict === true ? strictTool(tool, (fault) => refuse(`tools[${index}].strict`, fault)) : tool,
    ),
  };
  if (!strictFormat) return { request: fitted, unsupported };
  const translated = translateSchema(strictFormat.schema, 'openai-strict');
  if ('fault' in translated) refuse('responseFormat.strict', translated.fault);
  const changes = 'schema' in translated ? translated : { strict: false };
  return { request: { ...fitted, responseFormat: { ...strictFormat, ...changes } }, unsupported };
}

function strictTool(tool: Tool, refuse: (fault: string) => void): Tool {
  // A tool that takes nothing may leave its properties out.
  const translated = translateSchema({ type: 'object', properties: {}, ...tool.parameters }, 'openai-strict');
  if ('schema' in translated) return { ...tool, parameters: translated.schema };
  refuse(translated.fault);
  return { ...tool, strict: false };
}
