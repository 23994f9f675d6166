// Owns which addresses count as private: loopback, link-local, private, shared, metadata and otherwise special ranges (RFC 6890).
import { BlockList, isIP } from 'node:net';
import type { AllowAddress } from './addresses.ts';

const SPECIAL_RANGES = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

/** The addresses that `PRIVATE_UPSTREAMS` allows: all, only public ones, or public ones and the given CIDRs. Raises `Error` on a bad CIDR. */
export function addressPolicy(privateUpstreams: 'allow' | 'deny' | readonly string[]): AllowAddress {
  if (privateUpstreams === 'allow') return () => true;
  const special = rangesOf(SPECIAL_RANGES);
  const allowed = rangesOf(privateUpstreams === 'deny' ? [] : privateUpstreams);
  return (ip) => {
    const family = isIP(ip) === 6 ? 'ipv6' : 'ipv4';
    return isIP(ip) !== 0 && (allowed.check(ip, family) || !special.check(ip, family));
  };
}

function rangesOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/');
    const family = isIP(address);
    if (family === 0)
      throw new Error(
        `PRIVATE_UPSTREAMS: "${cidr}" is neither "allow", "deny" nor a CIDR such as 10.0.0.0/8`,
      );
    list.addSubnet(
      address,
      bits === undefined ? (family === 6 ? 128 : 32) : Number(bits),
      family === 6 ? 'ipv6' : 'ipv4',
    );
  }
  return list;
}
