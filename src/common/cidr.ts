import { BlockList, isIP, isIPv6 } from 'node:net';

/** Whether the text is an address or a CIDR, IPv4 or IPv6. */
export function isCidr(text: unknown): text is string {
  if (typeof text !== 'string') return false;
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/**
 * Tells whether an address lies in one of the networks; what is no address lies in none. An IPv4 address mapped into IPv6
 * (RFC 4291 §2.5.5.2), as sockets for both families show it, counts as IPv4: node's list sees to that.
 */
export function networksOf(cidrs: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const { network, bits, family } = partsOf(cidr);
    list.addSubnet(network, bits, family);
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address));
}

/**
 * Whether every address of the inner network lies in the outer one, by the very comparison that lets addresses in. IPv4 counts
 * as what it is when mapped into IPv6, so that neither spelling says more than the other.
 */
export function isWithin(inner: string, outer: string): boolean {
  return depthOf(outer) <= depthOf(inner) && networksOf([outer])(partsOf(inner).network);
}

/** How many bits are fixed, of the 128 of IPv6. */
function depthOf(cidr: string): number {
  const { bits, family } = partsOf(cidr);
  return family === 'ipv6' ? bits : bits + 96;
}

function partsOf(cidr: string): { network: string; bits: number; family: 'ipv4' | 'ipv6' } {
  const [network = '', bits] = cidr.split('/');
  const family = familyOf(network);
  return { network, bits: bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family };
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');
