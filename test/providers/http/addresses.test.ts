import { expect, test } from 'vitest';
import { isAllowed } from '../../../src/providers/http/addresses.ts';

function askedFor(ip: string): string[] {
  const asked: string[] = [];
  isAllowed(ip, (address) => {
    asked.push(address);
    return true;
  });
  return asked;
}

test.each([
  ['IPv4', '10.0.0.1', ['10.0.0.1']],
  ['IPv6', '2001:db8::1', ['2001:db8::1']],
  ['IPv6 with a zone', 'fe80::1%eth0', ['fe80::1']],
  ['loopback', '::1', ['::1']],
  ['IPv4 mapped', '::ffff:10.0.0.1', ['10.0.0.1']],
  ['IPv4 mapped, in words', '0:0:0:0:0:ffff:a00:1', ['10.0.0.1']],
  ['IPv4 compatible', '::127.0.0.1', ['::127.0.0.1', '127.0.0.1']],
  ['NAT64', '64:ff9b::a9fe:a9fe', ['64:ff9b::a9fe:a9fe', '169.254.169.254']],
  ['6to4', '2002:c0a8:101::1', ['2002:c0a8:101::1', '192.168.1.1']],
])('an address is asked for as what it stands for: %s', (_form, ip, expected) => {
  expect(askedFor(ip)).toEqual(expected);
});

test('an address is allowed only if all that it stands for is', () => {
  expect(isAllowed('64:ff9b::7f00:1', (address) => address !== '127.0.0.1')).toBe(false);
});
