// Mailboxes in plain maps: the user's devices, and per source the newest commits that fan-out has published to the user's mailboxes.
import type { Clock } from '../../clock.js'
import { type AggregateRef, isSameStamp, type Stamp } from '../aggregate.js'
import type { Mail, Reached, Sign } from '../mail.js'
import { positionTtlMs, withTaken } from '../position.js'
import type { Cursor, DirectEvent, Mailboxes, SendResult, StoreOptions, Touch, Touched, UserCommit } from '../store.js'
import type { MemoryContacts } from './contacts.js'
import { ExpiringMap } from './expiring-map.js'
import type { MemoryLeases } from './leases.js'
import { birth, type Device, hasLeft, head, isOnline, push, read } from './mailbox.js'
import type { MemoryTickets } from './tickets.js'
import type { Publish } from './wakeups.js'

interface Parts extends StoreOptions {
  readonly clock: Clock
  readonly leases: Pick<MemoryLeases, 'drop'>
  readonly contacts: Pick<MemoryContacts, 'record'>
  readonly tickets: Pick<MemoryTickets, 'revoke'>
  readonly publish: Publish
  /** The commit that stands. */
  stampOf(source: AggregateRef): Stamp | null
  /** Whether the user has a lease, a room or an invitation, or a watched state. */
  isInvolved(user: string): boolean
}

export interface MemoryMailboxes extends Mailboxes {
  isRegistered(user: string, device: string, now: number): boolean
  /** A sign of life of a device that is registered. */
  renew(user: string, sign: Sign, now: number): Cursor
  /** What a commit says to the user, with its tag. */
  deliver(user: string, mail: Mail & Pick<Stamp, 'tag'>, now: number): Reached
  size(): number
  sweep(now: number): void
}

export function createMemoryMailboxes(parts: Parts): MemoryMailboxes {
  const { retentionMs, maxDevicesPerUser, clock, leases, contacts, tickets, publish } = parts
  const positionMs = positionTtlMs(retentionMs)
  const users = new Map<string, Map<string, Device>>()
  /** By user and source; no user id has a blank in it. */
  const positions = new ExpiringMap<readonly Stamp[]>(clock)

  function find(user: string, device: string, now: number): Device | undefined {
    const devices = users.get(user)
    const found = devices?.get(device)
    if (!found || found.seenAt + retentionMs >= now) return found
    devices?.delete(device)
    return undefined
  }

  function hasRoom(user: string, now: number): boolean {
    const names = [...(users.get(user)?.keys() ?? [])]
    return names.filter(name => find(user, name, now)).length < maxDevicesPerUser
  }

  function ensureUser(user: string): Map<string, Device> {
    const found = users.get(user) ?? new Map<string, Device>()
    users.set(user, found)
    return found
  }

  /** Whether the user's mailboxes take a commit that is published to them: each once. */
  function take(user: string, { kind, id }: AggregateRef, { version, tag }: Stamp): boolean {
    const key = `${user} ${kind}:${id}`
    const taken = withTaken(positions.get(key) ?? [], { version, tag })
    if (taken) positions.set(key, taken, clock.now() + positionMs)
    return taken !== null
  }

  function put(
    user: string,
    name: string,
    device: Device,
    message: Pick<DirectEvent, 'type' | 'envelope' | 'tag'>
  ): void {
    const prevTag = device.tag
    const event = push(device, message, parts)
    if (device.connection !== '') publish(user, { kind: 'event', device: name, prevTag, events: [event] })
  }

  function putAll(user: string, { entries, tag }: Omit<UserCommit, 'version'>, now: number): Reached {
    const names = [...(users.get(user)?.keys() ?? [])]
    const counts = { online: 0, queued: 0 }
    for (const name of names) {
      const device = find(user, name, now)
      const mine = entries.filter(entry =>
        entry.device === undefined ? !entry.except?.includes(name) : entry.device === name
      )
      if (!device || mine.length === 0) continue
      for (const { type, envelope } of mine) put(user, name, device, { type, envelope, tag })
      counts[isOnline(device, now) ? 'online' : 'queued']++
    }
    return counts
  }

  function connect(user: string, name: string, device: Device, touch: Touch): void {
    const { connection, claim } = touch
    if (!connection) {
      if (device.connection === '') device.onlineUntil = 0
      return
    }
    if (claim && device.connection !== connection) publish(user, { kind: 'claimed', device: name, connection })
    // A record that lost its connection (a failover, an expiry) takes the one that is evidently open.
    if (claim || device.connection === '') {
      device.connection = connection
      device.authExpiresAt = touch.authExpiresAt ?? null
    }
    if (device.connection === connection) device.onlineUntil = touch.onlineUntil ?? device.onlineUntil
  }

  function extendAuth(user: string, name: string, device: Device, shown: number | null | undefined): void {
    const { connection, authExpiresAt } = device
    if (connection === '' || authExpiresAt === null || shown === undefined) return
    if (shown !== null && shown <= authExpiresAt) return
    device.authExpiresAt = shown
    publish(user, { kind: 'auth', device: name, expiresAt: shown })
  }

  function deliver(user: string, mail: Mail & Pick<Stamp, 'tag'>, now: number): Reached {
    if (mail.release !== undefined) leases.drop(user, mail.release)
    if (mail.contact) contacts.record(user, mail.contact, now)
    return putAll(user, mail, now)
  }

  /** Null: it is not registered, and as many others are as may be. */
  function touchDevice(user: string, name: string, touch: Touch): Touched | null {
    const found = find(user, name, touch.now)
    if (!found && !hasRoom(user, touch.now)) return null
    const device = found ?? birth(touch)
    if (!found) ensureUser(user).set(name, device)
    device.seenAt = Math.max(device.seenAt, touch.now)
    connect(user, name, device, touch)
    if (touch.status !== undefined) device.status = touch.status
    if (!touch.connection) extendAuth(user, name, device, touch.authExpiresAt)
    if (!touch.connection) device.requestedAt = Math.max(device.requestedAt, touch.now)
    const { connection, authExpiresAt, requestedAt } = device
    const page = touch.readFrom && touch.bounds ? read(device, touch.readFrom, touch.bounds) : null
    const isInvolved = parts.isInvolved(user)
    return { created: !found, head: head(device), connection, authExpiresAt, requestedAt, isInvolved, page }
  }

  return {
    deliver,
    isRegistered: (user, device, now) => find(user, device, now) !== undefined,
    renew(user, { device, authExpiresAt }, now) {
      const touched = touchDevice(user, device, { now, tag: '', authExpiresAt })
      if (!touched) throw new TypeError(`${device} is not registered`)
      return touched.head
    },
    async appendEach(appends, now) {
      for (const { user, source, commits } of appends) {
        for (const commit of commits) if (take(user, source, commit)) putAll(user, commit, now)
      }
    },
    async send(user, message): Promise<SendResult> {
      const { basis, at } = message
      const stamp = basis && parts.stampOf(basis.source)
      if (!isSameStamp(basis, stamp)) return { status: 'behind', newest: stamp?.version ?? 0 }
      const device = find(user, message.device, message.now)
      if (!device) return { status: 'none' }
      if (at && (at.seq !== device.seq || at.tag !== device.tag)) return { status: 'moved' }
      put(user, message.device, device, message)
      return { status: isOnline(device, message.now) ? 'online' : 'queued' }
    },
    async read(user, name, options) {
      const device = find(user, name, options.now)
      return device ? read(device, options.from, options) : { status: 'none' }
    },
    touch: async (user, name, options) => touchDevice(user, name, options),
    async recordRequest(user, name, now) {
      const device = users.get(user)?.get(name)
      if (device && device.connection !== '') device.requestedAt = Math.max(device.requestedAt, now)
    },
    async closeConnection(user, name, { connection, now }) {
      const device = find(user, name, now)
      if (device?.connection !== connection) return
      device.connection = ''
      device.onlineUntil = now
      device.seenAt = Math.max(device.seenAt, now)
    },
    async remove(user, name) {
      tickets.revoke(user, name)
      const removed = users.get(user)?.delete(name) ?? false
      if (removed) publish(user, { kind: 'gone', device: name })
      return removed
    },
    async devices(user, now) {
      const names = [...(users.get(user)?.keys() ?? [])]
      return names.flatMap(name => {
        const device = find(user, name, now)
        if (!device) return []
        const { seenAt, status } = device
        const online = isOnline(device, now)
        const onlineUntil = online ? device.onlineUntil : 0
        return [{ device: name, online, onlineUntil, seenAt, left: hasLeft(device), status }]
      })
    },
    size: () => users.size + positions.size,
    sweep(now) {
      for (const [user, devices] of users) {
        for (const device of devices.keys()) find(user, device, now)
        if (devices.size === 0) users.delete(user)
      }
      positions.sweep(now)
    }
  }
}
