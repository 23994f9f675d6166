// Owns the message bus of a node without Redis: there is no other node, so it does nothing.
import type { RunBus } from '../contract.ts';

export const memoryRunBus: RunBus = {
  cancel: () => {},
  onCancel: () => () => {},
};
