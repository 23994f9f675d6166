// Owns the named deviations from Cohere's protocol that a row can state: none are known, so every quirk is refused.
import { NO_QUIRKS } from '../shared/quirks.ts';

export const quirksSchema = NO_QUIRKS;
