import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** Special-purpose ranges of IPv4 (RFC 6890 and successors): private, loopback, link-local, shared, test, multicast, reserved. */
export const SPECIAL_V4: [network: string, prefix: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** What is not public within the global unicast range: protocol assignments and Teredo, documentation, 6to4. */
const SPECIAL_V6: [network: string, prefix: number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

export const isLoopbackAddress = (address: string): boolean => address.startsWith('127.') || address === '::1';

const special = new BlockList();
const global = new BlockList();
for (const [network, prefix] of SPECIAL_V4) {
  special.addSubnet(network, prefix, 'ipv4');
  special.addSubnet(`64:ff9b::${network}`, 96 + prefix, 'ipv6');
}
for (const [network, prefix] of SPECIAL_V6) special.addSubnet(network, prefix, 'ipv6');
global.addSubnet('2000::', 3, 'ipv6');
// A machine with IPv6 only reaches the hosts of IPv4 through these (NAT64).
global.addSubnet('64:ff9b::', 96, 'ipv6');

/** Whether an IP address belongs to the public internet. Everything that is not known to be public is not. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, 'ipv4');
  if (!isIPv6(address) || address.includes('%')) return false;
  return global.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

/** The address that stands as a URL's host, without an IPv6 address's brackets; undefined for a name. */
export function literalAddress(host: string): string | undefined {
  const address = host.replace(/^\[|\]$/g, '');
  return isIP(address) === 0 ? undefined : address;
}
