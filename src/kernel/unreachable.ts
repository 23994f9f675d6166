// Owns the end of a switch that must name every member of a closed union: a member that it does not name does not compile.

export function unreachable(value: never): never {
  throw new Error(`A case is missing for ${JSON.stringify(value)}`);
}
