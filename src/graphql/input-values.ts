// Owns what `null` and absence mean in an input: GraphQL gives `null` where a client wrote it.

/** For inputs that create: a field that is null is a field left out. */
export function withoutNulls<T extends object>(value: T): { [Key in keyof T]: Exclude<T[Key], null> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry != null)) as never;
}

/** For fields that cannot be cleared: null leaves them as they are. */
export function orUnchanged<T>(value: T | null | undefined): T | undefined {
  return value ?? undefined;
}
