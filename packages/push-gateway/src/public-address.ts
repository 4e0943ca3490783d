// The URL of a Web Push subscription comes from a user, and must not reach the operator's own network (server-side request forgery). The address
// is checked when the connection is made: a name that is looked up again may have another one.
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

const [GLOBAL_V6, GLOBAL_BITS] = ipaddr.IPv6.parseCIDR('2000::/3')

export function isPublicAddress(text: string): boolean {
  if (isIP(text) === 0) return false
  // An IPv4-mapped address becomes that of IPv4.
  const address = ipaddr.process(text)
  if (address.range() !== 'unicast') return false
  return address.kind() === 'ipv4' || (address as ipaddr.IPv6).match(GLOBAL_V6, GLOBAL_BITS)
}

/** `lookup` is not called for an address. */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(host) > 0 && !isPublicAddress(host)
}

type Found = (error: NodeJS.ErrnoException | null, addresses: string | LookupAddress[], family?: number) => void

export class PrivateAddress extends Error {
  constructor() {
    super('the address is not public')
  }
}

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
