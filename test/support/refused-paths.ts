// Owns what a check of an input finds fault with: the paths alone, since the words are free to change.
import { type GatewayError } from '../../src/kernel/errors.ts';
import { InputCheck } from '../../src/kernel/input-check.ts';

export function refusedPaths(look: (check: InputCheck) => void): string[] {
  const check = new InputCheck();
  look(check);
  try {
    check.raise();
    return [];
  } catch (error) {
    return ((error as GatewayError).problems ?? []).map(({ path }) => path);
  }
}
