import { BlockList, isIP, isIPv6 } from 'node:net';
import { networksOf } from '../../common/cidr';

/**
 * IPv4 that is not of the public internet (IANA's special-purpose registry), 169.254.169.254 of the clouds included, and
 * 168.63.129.16, which is of Azure's hosts though its network is public.
 */
const CLOSED_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
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
];

/**
 * Of IPv6 only 2000::/3 is given out. All else is closed: loopback, ::/96, IPv4 mapped (::ffff:0:0/96) and translated
 * (64:ff9b::/96), unique local, link-local, multicast. So are these parts of it: IETF assignments with Teredo, documentation, 6to4.
 */
const GIVEN_V6 = '2000::/3';
const CLOSED_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** Where clouds give credentials to whoever asks: open to nobody, whichever networks are allowed. */
const METADATA_V4 = ['169.254.169.254', '169.254.170.2', '169.254.170.23', '168.63.129.16', '100.100.100.200'];
const METADATA_V6 = ['fd00:ec2::254', 'fd00:ec2::23'];

/** An IPv4 address and those of IPv6 that lead to it: translated (RFC 6052), 6to4 and compatible. Mapped ones count as IPv4. */
function spellingsOf(address: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  const [high, low] = [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)];
  return [address, `64:ff9b::${high}:${low}`, `2002:${high}:${low}::/48`, `::${high}:${low}`];
}

/**
 * Tells whether an address may be connected to: of the public internet, or in one of the allowed networks, and none where a
 * cloud gives its metadata. What is no address, or one with a zone, may not.
 */
export function publicAddresses(allowed: readonly string[]): (address: string) => boolean {
  const isAllowed = networksOf(allowed);
  const isMetadata = networksOf([...METADATA_V4.flatMap(spellingsOf), ...METADATA_V6]);
  const closedV4 = listOf(CLOSED_V4);
  const closedV6 = listOf(CLOSED_V6);
  const givenV6 = listOf([GIVEN_V6]);
  const isPublic = (address: string): boolean =>
    isIPv6(address)
      ? givenV6.check(address, 'ipv6') && !closedV6.check(address, 'ipv6')
      : !closedV4.check(address, 'ipv4');
  return (address) =>
    isIP(address) !== 0 && !address.includes('%') && !isMetadata(address) && (isAllowed(address) || isPublic(address));
}

function listOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [network = '', bits] = cidr.split('/');
    list.addSubnet(network, Number(bits), isIPv6(network) ? 'ipv6' : 'ipv4');
  }
  return list;
}
