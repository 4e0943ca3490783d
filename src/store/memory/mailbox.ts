// One device and its mailbox in memory: append, evict, read after a cursor.
import {
  type Cursor,
  type MailboxPage,
  type ReadBounds,
  type ResetReason,
  type StoredEvent,
  type StoreOptions,
  type Touch,
  weightOf
} from '../store.js'

export interface Device {
  readonly name: string
  /** `seq` and `tag` are the head: the newest entry, or `0` and `birthTag`. */
  seq: number
  tag: string
  readonly birthTag: string
  /** The kept entries; the last one has number `seq`. */
  events: StoredEvent[]
  /** Of all kept entries. */
  weight: number
  seenAt: number
  /** Without a connection: when the last one closed, or 0 if a keepalive has followed. */
  onlineUntil: number
  connection: string
  authExpiresAt: number | null
  /** The last request other than the stream or poll. */
  requestedAt: number
  /** It has opened a stream or poll. */
  hasListened: boolean
  status: string
}

/** Entries are trimmed in groups, because each trim copies the array. */
const TRIM_AT_ONCE = 64

export function createDevice(name: string, { tag, now }: Touch): Device {
  const presence = { seenAt: now, onlineUntil: 0, connection: '', authExpiresAt: null, requestedAt: 0 }
  return { name, seq: 0, tag, birthTag: tag, events: [], weight: 0, ...presence, hasListened: false, status: '' }
}

export const head = ({ seq, tag }: Device): Cursor => ({ seq, tag })

export const isOnline = (device: Device, now: number): boolean => device.connection !== '' && device.onlineUntil > now

export const hasLeft = ({ connection, onlineUntil }: Device): boolean => connection === '' && onlineUntil > 0

type Bounds = Pick<StoreOptions, 'mailboxMaxEvents' | 'mailboxMaxBytes'>

export function push(device: Device, entry: Omit<StoredEvent, 'seq'>, bounds: Bounds): StoredEvent {
  const event = { seq: device.seq + 1, ...entry }
  device.seq = event.seq
  device.tag = event.tag
  device.events.push(event)
  device.weight += weightOf(event)
  evict(device, excessOf(device, bounds))
  return event
}

/** How many of the oldest entries must be evicted. */
function excessOf({ events, weight }: Device, { mailboxMaxEvents, mailboxMaxBytes }: Bounds): number {
  let excess = events.length >= mailboxMaxEvents + TRIM_AT_ONCE ? events.length - mailboxMaxEvents : 0
  if (weight <= mailboxMaxBytes) return excess
  // An eighth of the bound is freed at once, as in lua/mailbox.lua.
  let kept = events.slice(excess).reduce((sum, event) => sum + weightOf(event), 0)
  while (kept > mailboxMaxBytes - mailboxMaxBytes / 8 && excess < events.length - 1) {
    kept -= weightOf(events[excess++] as StoredEvent)
  }
  return excess
}

function evict(device: Device, excess: number): void {
  if (excess === 0) return
  for (const event of device.events.slice(0, excess)) device.weight -= weightOf(event)
  device.events = device.events.slice(excess)
}

export function read(device: Device, cursor: Cursor | 'start', { limit, maxBytes }: ReadBounds): MailboxPage {
  const after = cursor === 'start' ? device.seq - device.events.length : cursor.seq
  const reason = cursor === 'start' ? null : mismatch(device, cursor)
  if (reason) return { status: 'reset', reason, head: head(device) }
  const from = device.events.length - (device.seq - after)
  return { status: 'ok', events: within(maxBytes, device.events.slice(from, from + limit)), head: head(device) }
}

function within(maxBytes: number, events: readonly StoredEvent[]): readonly StoredEvent[] {
  let weight = 0
  const beyond = events.findIndex((event, i) => {
    weight += weightOf(event)
    return i > 0 && weight > maxBytes
  })
  return beyond < 0 ? events : events.slice(0, beyond)
}

/** G2: a cursor is good only if the entry it names is there (or is the head), and with it all that follow. */
function mismatch(device: Device, { seq, tag }: Cursor): ResetReason | null {
  if (seq > device.seq) return 'future'
  if (seq === device.seq) return tag === device.tag ? null : 'unknown'
  const first = device.seq - device.events.length + 1
  if (seq === 0 && tag !== device.birthTag) return 'unknown'
  if (seq === 0) return first === 1 ? null : 'evicted'
  const named = device.events[seq - first]
  if (!named) return 'evicted'
  return named.tag === tag ? null : 'unknown'
}
