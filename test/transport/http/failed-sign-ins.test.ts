import { expect, test } from 'vitest';
import { FailedSignIns } from '../../../src/transport/http/failed-sign-ins.ts';

test('an address with too many failed sign-ins is over its limit until a minute after its first failure', () => {
  let now = 0;
  const failures = new FailedSignIns(2, () => now);
  expect([failures.add('a'), failures.add('a')]).toEqual([0, 0]);
  expect(failures.isOver('a')).toBe(false);
  now = 20_000;
  expect(failures.add('a')).toBe(40_000);
  expect([failures.isOver('a'), failures.isOver('b')]).toEqual([true, false]);
  now = 60_000;
  expect([failures.isOver('a'), failures.none]).toEqual([false, true]);
});

test('new tokens of an address over its limit are verified as long as fewer than twenty a second are bad', () => {
  let now = 0;
  const failures = new FailedSignIns(1, () => now);
  for (let bad = 0; bad < 19; bad += 1) failures.add('a');
  expect([failures.isOver('a'), failures.mayVerify('a')]).toEqual([true, true]);
  failures.add('a');
  expect(failures.mayVerify('a')).toBe(false);
  now = 1_000;
  expect(failures.mayVerify('a')).toBe(true);
});

test('addresses of one IPv6 network are one client in the count of failed sign-ins', () => {
  const failures = new FailedSignIns(1);
  failures.add('2001:db8::1');
  failures.add('2001:db8:0:0:ffff::2');
  expect([failures.isOver('2001:db8::3'), failures.isOver('2001:db8:0:1::3')]).toEqual([true, false]);
});

test('the oldest of too many addresses with failed sign-ins is forgotten', () => {
  const failures = new FailedSignIns(1);
  failures.add('first');
  failures.add('first');
  for (let address = 0; address < 10_000; address += 1) failures.add(`10.${address}`);
  expect(failures.isOver('first')).toBe(false);
});
