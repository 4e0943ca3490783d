// Mailboxes in plain maps: the user's devices, and per source the newest version that the user's mailboxes have taken.
import type { Clock } from '../../clock.js'
import { POSITIONS_MAX, positionTtlMs } from '../position.js'
import type { Append, AppendResult, Mailboxes, StoreOptions, Touch } from '../store.js'
import { birth, type Device, head, isOnline, push, read } from './mailbox.js'
import type { Publish } from './wakeups.js'

/** A commit taken from an outbox. */
type Taken = Pick<Append, 'version' | 'tag'>

interface User {
  readonly devices: Map<string, Device>
  readonly positions: Map<string, { taken: readonly Taken[]; until: number }>
}

function isTaken(taken: readonly Taken[], { version, tag }: Taken): boolean {
  const oldest = taken.length < POSITIONS_MAX ? 0 : (taken.at(-1)?.version ?? 0)
  return version < oldest || taken.some(commit => commit.version === version && commit.tag === tag)
}

const NOBODY: AppendResult = { status: 'appended', online: 0, queued: 0 }

export function createMemoryMailboxes(
  options: StoreOptions & { clock: Clock },
  publish: Publish
): Mailboxes & { sweep(now: number): void } {
  const { retentionMs, mailboxMaxEvents, clock } = options
  const positionMs = positionTtlMs(retentionMs)
  const users = new Map<string, User>()

  function find(user: string, device: string, now: number): Device | undefined {
    const devices = users.get(user)?.devices
    const found = devices?.get(device)
    if (!found || found.seenAt + retentionMs >= now) return found
    devices?.delete(device)
    return undefined
  }

  function ensureUser(user: string): User {
    const found = users.get(user) ?? { devices: new Map(), positions: new Map() }
    users.set(user, found)
    return found
  }

  /** What keeps the append out, if anything. Remembers the commit of one that comes from an outbox. */
  function refuse(user: string, append: Append): 'duplicate' | 'behind' | null {
    const source = `${append.source.kind}:${append.source.id}`
    const position = users.get(user)?.positions.get(source)
    const taken = position && position.until > clock.now() ? position.taken : []
    if (append.mode === 'direct') return (taken[0]?.version ?? 0) > append.version ? 'behind' : null
    if (isTaken(taken, append)) return 'duplicate'
    const before = taken.filter(({ version }) => version < append.version).slice(0, POSITIONS_MAX - 1)
    const now = { version: append.version, tag: append.tag }
    ensureUser(user).positions.set(source, { taken: [now, ...before], until: clock.now() + positionMs })
    return null
  }

  function deliver(user: string, append: Append): AppendResult {
    const names = [...(users.get(user)?.devices.keys() ?? [])]
    const counts = { online: 0, queued: 0 }
    for (const name of names) {
      const device = find(user, name, append.now)
      const mine = append.entries.filter(entry =>
        entry.device === undefined ? !entry.except?.includes(name) : entry.device === name
      )
      if (!device || mine.length === 0) continue
      for (const { type, envelope } of mine) {
        const prevTag = device.tag
        const event = push(device, { type, envelope, tag: append.tag }, mailboxMaxEvents)
        if (device.connection !== '') publish(user, { kind: 'event', device: name, prevTag, event })
      }
      counts[isOnline(device, append.now) ? 'online' : 'queued']++
    }
    return { status: 'appended', ...counts }
  }

  function connect(user: string, name: string, device: Device, touch: Touch): void {
    const { connection, claim } = touch
    if (!connection) return
    if (claim && device.connection !== connection) publish(user, { kind: 'claimed', device: name, connection })
    // A record that lost its connection (a failover, an expiry) takes the one that is evidently open.
    if (claim || device.connection === '') device.connection = connection
    if (device.connection === connection) device.onlineUntil = touch.onlineUntil ?? device.onlineUntil
  }

  return {
    async append(user, append) {
      const refused = refuse(user, append)
      if (refused) return { ...NOBODY, status: refused }
      return append.entries.length > 0 ? deliver(user, append) : NOBODY
    },
    async read(user, name, cursor, { limit, now }) {
      const device = find(user, name, now)
      return device ? read(device, cursor, limit) : { status: 'none' }
    },
    async touch(user, name, touch) {
      const found = find(user, name, touch.now)
      const device = found ?? birth(touch)
      if (!found) ensureUser(user).devices.set(name, device)
      device.seenAt = Math.max(device.seenAt, touch.now)
      connect(user, name, device, touch)
      if (touch.status !== undefined) device.status = touch.status
      if (touch.authExpiresAt !== undefined && touch.authExpiresAt > device.authExpiresAt) {
        device.authExpiresAt = touch.authExpiresAt
        if (device.connection !== '') publish(user, { kind: 'auth', device: name, expiresAt: touch.authExpiresAt })
      }
      const { connection, authExpiresAt } = device
      return { created: !found, head: head(device), connection, authExpiresAt }
    },
    async release(user, name, connection, now) {
      const device = find(user, name, now)
      if (device?.connection !== connection) return
      device.connection = ''
      device.onlineUntil = 0
      device.seenAt = Math.max(device.seenAt, now)
    },
    async remove(user, name) {
      const removed = users.get(user)?.devices.delete(name) ?? false
      if (removed) publish(user, { kind: 'gone', device: name })
      return removed
    },
    async devices(user, now) {
      const names = [...(users.get(user)?.devices.keys() ?? [])]
      return names.flatMap(name => {
        const device = find(user, name, now)
        if (!device) return []
        return [{ device: name, online: isOnline(device, now), seenAt: device.seenAt, status: device.status }]
      })
    },
    sweep(now) {
      for (const [name, user] of users) {
        for (const device of user.devices.keys()) find(name, device, now)
        for (const [source, position] of user.positions) if (position.until <= now) user.positions.delete(source)
        if (user.devices.size + user.positions.size === 0) users.delete(name)
      }
    }
  }
}
