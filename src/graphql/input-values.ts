// Owns the meaning of `null` and absence in an input: GraphQL gives `null` if a client wrote it.

/** For inputs that create a row: null means that the field is left out. */
export function withoutNulls<T extends object>(value: T): { [Key in keyof T]: Exclude<T[Key], null> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry != null)) as never;
}

/** For fields that cannot be cleared: null leaves the stored value unchanged. */
export function orUnchanged<T>(value: T | null | undefined): T | undefined {
  return value ?? undefined;
}
