// Owns which parts of a request a Responses API, with the quirks of its rows, cannot express.
import type { Parameters, ProviderRequest, Unsupported } from '../contract/completions.ts';
import { withStrictSchemas } from '../shared/strict-schemas.ts';
import { effortOf, lackedBy } from './encode.ts';
import { quirksOf } from './quirks.ts';

export function unsupportedBy(request: ProviderRequest): Unsupported[] {
  const { parameters, target, model } = request;
  const quirks = quirksOf(target);
  const unsupported: Unsupported[] = [...withStrictSchemas(request).unsupported];
  for (const name of lackedBy(quirks, model.reasoning)) {
    if (parameters[name as keyof Parameters] === undefined) continue;
    const words = `The provider ${target.providerKey} does not take ${name} with this model.`;
    unsupported.push({ path: `parameters.${name}`, message: words });
  }
  if (parameters.reasoningEffort !== undefined && quirks.reasoningEfforts && !effortOf(request, quirks)) {
    const known = Object.keys(quirks.reasoningEfforts).join(', ');
    const message = `The provider ${target.providerKey} knows the reasoning efforts ${known} only.`;
    if (!unsupported.some(({ path }) => path === 'parameters.reasoningEffort')) {
      unsupported.push({ path: 'parameters.reasoningEffort', message });
    }
  }
  return unsupported;
}
