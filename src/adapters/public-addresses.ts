// Which addresses are on the public internet. A request to a URL that someone else chooses must not reach the operator's own network
// (server-side request forgery). The address is checked when the connection is made: a name that is looked up again may have another one.
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns'
import { BlockList, isIP } from 'node:net'

/** IANA special-purpose addresses that are not globally reachable, and multicast. */
const SPECIAL_V4 = [
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
  '240.0.0.0/4'
] as const
/** In the only block of global unicast addresses, 2000::/3: protocols such as Teredo, documentation, 6to4. */
const SPECIAL_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'] as const
const GLOBAL_V6 = '2000::/3'
/** NAT64 (RFC 6052): the last 32 bits are an IPv4 address. */
const NAT64 = '64:ff9b::'

const special = listOf([...SPECIAL_V4, ...SPECIAL_V6, ...SPECIAL_V4.map(toNat64)])
const globalV6 = listOf([GLOBAL_V6, `${NAT64}/96`])

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    list.addSubnet(address, Number(bits), isIP(address) === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}

function toNat64(range: string): string {
  const [address, bits] = range.split('/')
  return `${NAT64}${address}/${96 + Number(bits)}`
}

/** False for private, loopback, link-local, shared (CGNAT) and multicast addresses, IPv4-mapped ones, and text that is not an address. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address)
  if (version === 4) return !special.check(address, 'ipv4')
  return version === 6 && globalV6.check(address, 'ipv6') && !special.check(address, 'ipv6')
}

/** The host of a URL is an address that is not public. `lookup` is not called for an address. */
export function isPrivateHost(url: string): boolean {
  const host = new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(host) > 0 && !isPublicAddress(host)
}

type Found = (error: NodeJS.ErrnoException | null, addresses: string | LookupAddress[], family?: number) => void

/** For connections: finds the public addresses of a name, and fails if it has none. */
export function lookUpPublic(name: string, options: LookupOptions, found: Found): void {
  lookup(name, { ...options, all: true }, (error, addresses) => {
    if (error) return found(error, [])
    const usable = addresses.filter(({ address }) => isPublicAddress(address))
    const [first] = usable
    if (first === undefined) found(new PrivateAddress(), [])
    else if (options.all) found(null, usable)
    else found(null, first.address, first.family)
  })
}

/** The URL leads to an address that is not public. */
export class PrivateAddress extends Error {
  constructor() {
    super('the address is not public')
  }
}
