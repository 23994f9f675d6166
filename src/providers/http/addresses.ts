// Owns which addresses may be connected to: a name is checked after DNS, on the very address that the socket then uses.
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { isIP, isIPv6, type LookupFunction } from 'node:net';
import { RefusedAddressError } from './transport-faults.ts';

export type AllowAddress = (ip: string) => boolean;

/** True if every address that `ip` may stand for is allowed: an IPv4 address in its mapped, compatible, 6to4 and NAT64 forms too. */
export function isAllowed(ip: string, allow: AllowAddress): boolean {
  return addressesWithin(ip).every(allow);
}

export function checkLiteral(hostname: string, allow: AllowAddress): void {
  if (isIP(hostname) !== 0 && !isAllowed(hostname, allow)) throw new RefusedAddressError();
}

/** As `dns.lookup` with `all`. */
export type Resolve = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** A `dns.lookup` that gives allowed addresses only. It is asked again for each connection, since a name may have changed its address. */
export function guardedLookup(allow: AllowAddress, resolve: Resolve = lookup): LookupFunction {
  return (hostname, options, callback) => {
    const all: LookupOptions & { all: true } = { ...options, all: true };
    resolve(hostname, all, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const allowed = addresses.filter(({ address }) => isAllowed(address, allow));
      const first = allowed[0];
      if (!first) return callback(new RefusedAddressError(), '', 0);
      if (options.all) return callback(null, allowed);
      callback(null, first.address, first.family);
    });
  };
}

function addressesWithin(ip: string): string[] {
  const zone = ip.indexOf('%');
  const address = zone < 0 ? ip : ip.slice(0, zone);
  if (!isIPv6(address)) return [address];
  const words = wordsOf(address);
  const tail = ipv4Of(words[6], words[7]);
  const head = words.slice(0, 5).every((word) => word === 0);
  if (head && words[5] === 0xffff) return [tail];
  if (head && words[5] === 0 && words[6] !== 0) return [address, tail];
  if (words[0] === 0x64 && words[1] === 0xff9b) return [address, tail];
  if (words[0] === 0x2002) return [address, ipv4Of(words[1], words[2])];
  return [address];
}

/** The eight words of an IPv6 address; the URL parser writes dotted tails as hexadecimal. */
function wordsOf(address: string): number[] {
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [left = '', right] = text.split('::');
  const before = left ? left.split(':') : [];
  const after = right ? right.split(':') : [];
  const gap = right === undefined ? [] : new Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...gap, ...after].map((word) => Number.parseInt(word, 16));
}

function ipv4Of(high = 0, low = 0): string {
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
}
