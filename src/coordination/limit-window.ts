// Owns how a sliding window is counted: in slots, each forgotten only when all of it has left the window, so that a limit is never passed.

/** Parts of a window; what was taken comes free with the precision of one. */
export const SLOTS = 60;

export function slotMsOf(windowMs: number): number {
  return windowMs / SLOTS;
}

/** The slot of a moment; a window that ends there reaches `SLOTS` slots further back. */
export function slotAt(nowMs: number, windowMs: number): number {
  return Math.floor(nowMs / slotMsOf(windowMs));
}

/** How long until the slot has left the window. */
export function msUntilGone(slot: number, nowMs: number, windowMs: number): number {
  return Math.max(1, Math.ceil((slot + SLOTS + 1) * slotMsOf(windowMs) - nowMs));
}
