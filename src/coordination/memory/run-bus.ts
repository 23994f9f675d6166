// Owns what a node alone needs of word between nodes: nothing.
import type { RunBus } from '../contract.ts';

export const memoryRunBus: RunBus = {
  cancel: () => {},
  onCancel: () => () => {},
};
