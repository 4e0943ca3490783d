// The network by which clients without a token, and connections, are counted: one IPv4 address, or one IPv6 /64, because a single host may
// use every address of its /64 (RFC 4291, section 2.5.4).
import { isIP } from 'node:net'

/** Some proxies write the port of the client into X-Forwarded-For: 192.0.2.7:4711, [2001:db8::7]:4711. */
const WITH_PORT = /^(?:\[([^[\]]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\d+)?$/
const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i
const GROUPS_OF_NETWORK = 4

/** The name of the network; `unknown` if a proxy has written no valid address into the header. */
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

/** An IPv4 address at the end fills two groups. Their values do not matter, because they are not part of the /64. */
const groupsOf = (text: string): number[] =>
  text === '' ? [] : text.split(':').flatMap(group => (group.includes('.') ? [0, 0] : Number.parseInt(group, 16)))
