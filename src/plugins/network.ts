// Whom an address stands for when clients without a token are counted: one IPv4 address, or one IPv6 network of /64, because a
// single host may use every address of its /64 (RFC 4291, section 2.5.4).
import { isIP } from 'node:net'

/** Some proxies write the port of the client into X-Forwarded-For: 192.0.2.7:4711, [2001:db8::7]:4711. */
const WITH_PORT = /^(?:\[([^[\]]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\d+)?$/
const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i
const GROUPS_OF_NETWORK = 4

/** A short name, also for what a proxy wrote into a header and is no address at all. */
export function networkOf(address: string): string {
  const [, bracketed, dotted] = WITH_PORT.exec(address) ?? []
  const bare = bracketed ?? dotted ?? address
  const ipv4 = MAPPED_IPV4.exec(bare)?.[1] ?? bare
  const version = isIP(ipv4)
  if (version === 6) return networkOfIpv6(ipv4)
  return version === 4 ? ipv4 : 'unknown'
}

function networkOfIpv6(address: string): string {
  const [head = '', tail] = address.split('::')
  const before = groupsOf(head)
  const after = groupsOf(tail ?? '')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  const groups = [...before, ...Array<number>(zeros).fill(0), ...after]
  return `${groups
    .slice(0, GROUPS_OF_NETWORK)
    .map(group => group.toString(16))
    .join(':')}::/64`
}

/** An IPv4 address at the end counts as one group too few, which changes nothing in the first four. */
const groupsOf = (text: string) => (text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16)))
