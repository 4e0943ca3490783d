// Parses REDIS_URL. The URL class cannot do it, because it allows only one host.

export interface RedisAddress {
  readonly topology: 'single' | 'sentinel' | 'cluster'
  readonly tls: boolean
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  readonly username?: string
  readonly password?: string
  /** Single and Sentinel: the number of the database. */
  readonly db: number
  /** Sentinel: the name of the primary. */
  readonly name: string
}

const URL_SHAPE =
  /^redis(?<tls>s?)(?:-(?<topology>sentinel|cluster))?:\/\/(?:(?<user>[^@]*)@)?(?<hosts>[^/@]+)\/?(?<path>[^?]*)$/
const HOST_SHAPE = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<name>[^:\s]+))(?::(?<port>\d{1,5}))?$/
const PORT = { single: 6379, cluster: 6379, sentinel: 26379 }

/**
 * `redis://[user:password@]host:port[/db]`, `redis-sentinel://…@h:p,h:p/name[/db]`, `redis-cluster://…@h:p,h:p`; `rediss…` for TLS.
 * @throws Error whose message follows the name of the setting
 */
export function parseRedisUrl(url: string): RedisAddress {
  const parts = URL_SHAPE.exec(url)?.groups
  if (!parts) throw malformed()
  const topology = parts.topology === 'sentinel' || parts.topology === 'cluster' ? parts.topology : 'single'
  const hosts = (parts.hosts ?? '').split(',').map(host => parseHost(host, PORT[topology]))
  const path = (parts.path ?? '').split('/')
  const name = topology === 'sentinel' ? (path.shift() ?? '') : ''
  const db = Number(path[0] ?? 0)
  const isComplete = topology === 'sentinel' ? name !== '' : topology === 'cluster' ? db === 0 : hosts.length === 1
  if (!isComplete || !Number.isInteger(db) || path.length > 1) throw malformed()
  return { topology, tls: parts.tls === 's', hosts, ...parseUser(parts.user), db, name }
}

function parseHost(text: string, port: number): { host: string; port: number } {
  const parts = HOST_SHAPE.exec(text)?.groups
  const host = parts?.v6 ?? parts?.name
  if (!host || Number(parts?.port ?? port) > 65_535) throw malformed()
  return { host, port: Number(parts?.port ?? port) }
}

/** `user:password`, `:password`, or the password alone. */
function parseUser(text: string | undefined): { username?: string; password?: string } {
  if (!text) return {}
  try {
    const colon = text.indexOf(':')
    const username = decodeURIComponent(text.slice(0, Math.max(0, colon)))
    const password = decodeURIComponent(text.slice(colon + 1))
    return { ...(username && { username }), ...(password && { password }) }
  } catch {
    throw malformed()
  }
}

/** The message does not repeat the URL, which may contain a password. */
const malformed = () =>
  new Error('must be like redis://h:p/db, redis-sentinel://h:p,h:p/name or redis-cluster://h:p,h:p (rediss for TLS)')
