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
    const [network = '', bits] = cidr.split('/');
    const family = familyOf(network);
    list.addSubnet(network, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address));
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');
