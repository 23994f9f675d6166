// Owns how a sliding window is counted: in slots, each forgotten only when all of it has left the window, so that a limit is never passed.

/** Number of slots of a window. An amount comes free up to one slot later than it strictly could. */
export const SLOTS = 60;

export function slotMsOf(windowMs: number): number {
  return windowMs / SLOTS;
}

/** The slot of a moment; the window that ends there also covers the `SLOTS` slots before it. */
export function slotAt(nowMs: number, windowMs: number): number {
  return Math.floor(nowMs / slotMsOf(windowMs));
}

/** How long, in milliseconds, until the slot has left the window. */
export function msUntilGone(slot: number, nowMs: number, windowMs: number): number {
  return Math.max(1, Math.ceil((slot + SLOTS + 1) * slotMsOf(windowMs) - nowMs));
}
