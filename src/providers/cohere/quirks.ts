// Owns the named deviations from Cohere's protocol that a row can state: none are known, so that any is refused.
import { NO_QUIRKS } from '../shared/quirks.ts';

export const quirksSchema = NO_QUIRKS;
