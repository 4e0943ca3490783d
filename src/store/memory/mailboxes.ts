// Mailboxes in memory: the devices of each user, and which commits of each fan-out log the user's mailboxes have taken.
import type { Clock } from '../../clock.js'
import { joinIds } from '../../id-text.js'
import { type AggregateRef, isSameStamp, type Stamp } from '../aggregate.js'
import type { Keepalive, Mail, MailboxEntry, Reached } from '../mail.js'
import type { PushSubscriptions } from '../push-subscriptions.js'
import type {
  Cursor,
  DeviceState,
  DirectEvent,
  Mailboxes,
  SendResult,
  StoreOptions,
  Touch,
  Touched,
  UserCommit
} from '../store.js'
import { addTaken, takenCommitsTtlMs } from '../taken-commits.js'
import type { MemoryContacts } from './contacts.js'
import { createDevices } from './devices.js'
import { ExpiringMap } from './expiring-map.js'
import type { MemoryLeases } from './leases.js'
import { createDevice, type Device, hasLeft, head, isOnline, push, read } from './mailbox.js'
import type { MemoryTickets } from './tickets.js'
import type { Publish } from './wakeups.js'

interface Parts extends StoreOptions {
  readonly clock: Clock
  readonly leases: Pick<MemoryLeases, 'drop'>
  readonly contacts: Pick<MemoryContacts, 'record'>
  readonly tickets: Pick<MemoryTickets, 'revoke'>
  readonly pushSubscriptions: Pick<PushSubscriptions, 'remove'>
  readonly publish: Publish
  /** The stamp of the commit that stands. */
  stampOf(source: AggregateRef): Stamp | null
  /** See Touched.isInvolved. */
  isInvolved(user: string): boolean
}

export interface MemoryMailboxes extends Mailboxes {
  isRegistered(user: string, device: string, now: number): boolean
  /** A keepalive of a registered device. Returns the head of its mailbox. */
  renew(user: string, keepalive: Keepalive, now: number): Cursor
  /** Delivers the mail of a commit with this tag. */
  deliver(user: string, mail: Mail & Pick<Stamp, 'tag'>, now: number): Reached
  size(): number
  sweep(now: number): void
}

const isFor = ({ device, except }: MailboxEntry, { name }: Device): boolean =>
  device === undefined ? !except?.includes(name) : device === name

function toState(device: Device, now: number): DeviceState {
  const { name, seenAt, status, connection } = device
  const online = isOnline(device, now)
  const onlineUntil = online ? device.onlineUntil : 0
  return { device: name, online, onlineUntil, seenAt, left: hasLeft(device), status, connection }
}

export function createMemoryMailboxes(parts: Parts): MemoryMailboxes {
  const { clock, leases, contacts, tickets, pushSubscriptions, publish } = parts
  const takenTtlMs = takenCommitsTtlMs(parts.retentionMs)
  const devices = createDevices(parts)
  /** By user and aggregate. */
  const takenCommits = new ExpiringMap<readonly Stamp[]>(clock)

  /** False if the user's mailboxes have taken this commit before. */
  function take(user: string, { kind, id }: AggregateRef, { version, tag }: Stamp): boolean {
    const key = joinIds(user, kind, id)
    const taken = addTaken(takenCommits.get(key) ?? [], { version, tag })
    if (taken) takenCommits.set(key, taken, clock.now() + takenTtlMs)
    return taken !== null
  }

  function put(user: string, device: Device, event: Pick<DirectEvent, 'type' | 'envelope' | 'tag'>): void {
    const prevTag = device.tag
    const stored = push(device, event, parts)
    if (device.connection !== '') publish(user, { kind: 'event', device: device.name, prevTag, events: [stored] })
  }

  function putAll(user: string, { entries, tag }: Omit<UserCommit, 'version'>, now: number): Reached {
    const counts = { online: 0, queued: 0 }
    for (const device of devices.all(user, now)) {
      const own = entries.filter(entry => isFor(entry, device))
      if (own.length === 0) continue
      for (const { type, envelope } of own) put(user, device, { type, envelope, tag })
      counts[isOnline(device, now) ? 'online' : 'queued']++
    }
    return counts
  }

  function connect(user: string, device: Device, touch: Touch): void {
    const { connection, claim } = touch
    if (!connection) {
      if (device.connection === '') device.onlineUntil = 0
      return
    }
    if (claim && device.connection !== connection) publish(user, { kind: 'claimed', device: device.name, connection })
    // A record that has lost its connection (failover, expiry) gets the one that is evidently open.
    if (claim || device.connection === '') {
      device.connection = connection
      device.authExpiresAt = touch.authExpiresAt ?? null
    }
    if (device.connection === connection) device.onlineUntil = touch.onlineUntil ?? device.onlineUntil
    device.hasListened = true
  }

  function extendAuth(user: string, device: Device, expiresAt: number | null | undefined): void {
    const { connection, authExpiresAt } = device
    if (connection === '' || authExpiresAt === null || expiresAt === undefined) return
    if (expiresAt !== null && expiresAt <= authExpiresAt) return
    device.authExpiresAt = expiresAt
    publish(user, { kind: 'auth', device: device.name, expiresAt })
  }

  function deliver(user: string, mail: Mail & Pick<Stamp, 'tag'>, now: number): Reached {
    if (mail.release !== undefined) leases.drop(user, mail.release)
    for (const contact of mail.contacts ?? []) contacts.record(user, contact, now)
    return putAll(user, mail, now)
  }

  /** Null: the device is not registered, and the user has as many others as are allowed. */
  function touchDevice(user: string, name: string, touch: Touch): Touched | null {
    const found = devices.find(user, name, touch.now)
    if (!found && !devices.makeRoom(user, touch.now)) return null
    const device = found ?? createDevice(name, touch)
    if (!found) devices.add(user, device)
    device.seenAt = Math.max(device.seenAt, touch.now)
    connect(user, device, touch)
    if (touch.status !== undefined) device.status = touch.status
    if (!touch.connection) extendAuth(user, device, touch.authExpiresAt)
    if (!touch.connection) device.requestedAt = Math.max(device.requestedAt, touch.now)
    const { connection, authExpiresAt, requestedAt } = device
    const page = touch.readFrom && touch.bounds ? read(device, touch.readFrom, touch.bounds) : null
    const isInvolved = parts.isInvolved(user)
    return { created: !found, head: head(device), connection, authExpiresAt, requestedAt, isInvolved, page }
  }

  return {
    deliver,
    isRegistered: (user, device, now) => devices.find(user, device, now) !== undefined,
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
    async send(user, event): Promise<SendResult> {
      const { basis, expectedHead, now } = event
      const stamp = basis && parts.stampOf(basis.source)
      if (!isSameStamp(basis, stamp)) return { status: 'behind', newest: stamp?.version ?? 0 }
      const device = devices.find(user, event.device, now)
      if (!device) return { status: 'none' }
      const { seq, tag } = expectedHead ?? device
      if (seq !== device.seq || tag !== device.tag) return { status: 'moved' }
      put(user, device, event)
      return { status: isOnline(device, now) ? 'online' : 'queued' }
    },
    async read(user, name, options) {
      const device = devices.find(user, name, options.now)
      return device ? read(device, options.from, options) : { status: 'none' }
    },
    touch: async (user, name, options) => touchDevice(user, name, options),
    async recordRequest(user, name, { now, authExpiresAt }) {
      const device = devices.find(user, name, now)
      if (!device || device.connection === '') return
      extendAuth(user, device, authExpiresAt)
      device.requestedAt = Math.max(device.requestedAt, now)
    },
    async closeConnection(user, name, { connection, now }) {
      const device = devices.find(user, name, now)
      if (device?.connection !== connection) return
      device.connection = ''
      device.onlineUntil = now
      device.seenAt = Math.max(device.seenAt, now)
    },
    async remove(user, name) {
      tickets.revoke(user, name)
      await pushSubscriptions.remove(user, name)
      const removed = devices.remove(user, name)
      if (removed) publish(user, { kind: 'gone', device: name })
      return removed
    },
    devices: async (user, now) => devices.all(user, now).map(device => toState(device, now)),
    size: () => devices.size() + takenCommits.size,
    sweep(now) {
      devices.sweep(now)
      takenCommits.sweep(now)
    }
  }
}
