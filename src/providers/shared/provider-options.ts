// Owns how a caller's provider options enter a body that nests: objects are merged, anything else takes the place of what stood there.
import { isJsonObject, type JsonObject } from '../../kernel/json.ts';

export function withProviderOptions(body: JsonObject, options: JsonObject): JsonObject {
  const entries = Object.entries(options).map(([name, value]) => {
    const own = Object.hasOwn(body, name) ? body[name] : undefined;
    return [
      name,
      isJsonObject(own) && isJsonObject(value) ? withProviderOptions(own, value) : value,
    ] as const;
  });
  return { ...body, ...Object.fromEntries(entries) };
}
