import { expect, test } from 'vitest';
import { OpenedParts } from '../../src/assembly/opened-parts.ts';
import { silentLogger } from '../../src/kernel/logger.ts';

function record() {
  const closed: string[] = [];
  const lines: object[] = [];
  const parts = new OpenedParts({ ...silentLogger, error: (fields) => void lines.push(fields) });
  const note = (name: string) => async () => {
    await Promise.resolve();
    closed.push(name);
  };
  return { closed, lines, parts, note };
}

test('parts are closed phase by phase, however they were opened, and within a phase the last one first', async () => {
  const { closed, parts, note } = record();
  parts.add('connections', note('database'));
  parts.add('runs', note('runs'));
  parts.add('connections', note('redis'));
  parts.add('readers', note('readers'));
  parts.add('doors', note('server'));
  await parts.close();
  expect(closed).toEqual(['readers', 'runs', 'server', 'redis', 'database']);
});

test('a part is closed once, though closing is asked for twice', async () => {
  const { closed, parts, note } = record();
  parts.add('doors', note('server'));
  await Promise.all([parts.close(), parts.close()]);
  await parts.close();
  expect(closed).toEqual(['server']);
});

test('a part that cannot be closed keeps none of the others open, and its fault is logged and raised', async () => {
  const { closed, lines, parts, note } = record();
  const fault = new Error('stuck');
  parts.add('connections', note('database'));
  parts.add('connections', () => {
    throw fault;
  });
  parts.add('doors', note('server'));
  await expect(parts.close()).rejects.toBe(fault);
  expect(closed).toEqual(['server', 'database']);
  expect(lines).toEqual([{ err: fault, phase: 'connections' }]);
});

test('whichever part fails to open, those that were opened before are closed, and its fault is what is raised', async () => {
  const { closed, parts, note } = record();
  const fault = new Error('in use');
  const opening = parts.opening(async () => {
    parts.add('connections', note('database'));
    parts.add('connections', () => {
      throw new Error('a fault of closing');
    });
    throw fault;
  });
  await expect(opening).rejects.toBe(fault);
  expect(closed).toEqual(['database']);
});

test('opened parts stay open where nothing fails', async () => {
  const { closed, parts, note } = record();
  expect(
    await parts.opening(async () => {
      parts.add('doors', note('server'));
      return 'open';
    }),
  ).toBe('open');
  expect(closed).toEqual([]);
});
