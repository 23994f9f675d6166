import { expect, test } from 'vitest';
import { silentLogger } from '../../src/kernel/logger.ts';
import { silentTelemetry, type TelemetryEvent, TelemetryHub } from '../../src/kernel/telemetry.ts';

const EVENT: TelemetryEvent = { type: 'redis-returned' };

function record() {
  const lines: object[] = [];
  return { lines, logger: { ...silentLogger, error: (fields: object) => void lines.push(fields) } };
}

test('an event of telemetry comes to every listener, within the call that tells it', () => {
  const heard: [string, TelemetryEvent][] = [];
  const hub = new TelemetryHub(silentLogger, {
    first: (event) => void heard.push(['first', event]),
    second: (event) => void heard.push(['second', event]),
  });
  hub.emit(EVENT);
  expect(heard).toEqual([
    ['first', EVENT],
    ['second', EVENT],
  ]);
});

test('a listener of telemetry that throws harms neither the teller nor the others; it is counted, and logged once', () => {
  const { lines, logger } = record();
  const heard: TelemetryEvent[] = [];
  const fault = new Error('broken');
  const hub = new TelemetryHub(logger, {
    broken: () => {
      throw fault;
    },
    sound: (event) => void heard.push(event),
  });
  hub.emit(EVENT);
  hub.emit(EVENT);
  expect(heard).toHaveLength(2);
  expect(hub.faults).toEqual({ broken: 2, sound: 0 });
  expect(lines).toEqual([{ err: fault, listener: 'broken', event: 'redis-returned' }]);
});

test('a listener of telemetry that fails later is counted as well, and its rejection is handled', async () => {
  const { lines, logger } = record();
  const hub = new TelemetryHub(logger, {
    late: async () => {
      throw new Error('too late');
    },
  });
  hub.emit(EVENT);
  await Promise.resolve();
  await Promise.resolve();
  expect([hub.faults, lines.length]).toEqual([{ late: 1 }, 1]);
});

test('emitters of telemetry can tell that nobody listens', () => {
  expect(silentTelemetry.isHeard).toBe(false);
  expect(new TelemetryHub(silentLogger, {}).isHeard).toBe(false);
  expect(new TelemetryHub(silentLogger, { one: () => {} }).isHeard).toBe(true);
});
