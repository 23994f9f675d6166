// Owns the slugs of instances that the gateway makes by itself.
import { StorageError } from '../../kernel/errors.ts';
import type { ModelSpecRow } from './snapshot.ts';

/** The model's key if no instance has it as slug, else its canonical id, else that with a number. */
export function freeSlug(
  model: Pick<ModelSpecRow, 'key' | 'canonicalId'>,
  taken: ReadonlySet<string>,
): string {
  const plain = slugOf(model.key);
  if (!taken.has(plain) && plain !== 'auto') return plain;
  const qualified = slugOf(model.canonicalId);
  let slug = qualified;
  for (let number = 2; taken.has(slug); number += 1) slug = `${qualified}-${number}`;
  return slug;
}

function slugOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .slice(0, 120);
}

/** Two nodes may start together: if the other one has made the row already, that row is used. */
export function ignoreConflict(error: unknown): void {
  if (!(error instanceof StorageError) || error.kind !== 'conflict') throw error;
}
