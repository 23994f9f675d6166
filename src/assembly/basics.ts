// Owns the parts that every other part of the gateway is built with.
import type { Clock } from '../kernel/clock.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Telemetry } from '../kernel/telemetry.ts';
import type { OpenedParts } from './opened-parts.ts';

export interface Basics {
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly newId: NewId;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly parts: OpenedParts;
}
