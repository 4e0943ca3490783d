// The names of all Redis keys and channels. They start with `sp:{pXX}:`, where {pXX} is the hash tag of the partition, so that the keys
// of a script lie in one slot. Ids are encoded, so no part contains ':' and names do not collide. Where all keys lie on one server, only
// the indexes of timers and outboxes have no hash tag.

import { decodeId, encodeId, joinIds, splitIds } from '../../id-text.js'
import type { AggregateRef } from '../aggregate.js'
import type { BudgetCounter } from '../budget-counters.js'
import { partitionOf } from '../partition.js'
import { ROOM_GROUPS } from '../rooms.js'
import { type TimerClass, timerClassOf } from '../timers.js'
import { parseQueueId } from '../webhook-queues.js'

const TAGS = Array.from({ length: 256 }, (_, partition) => `sp:{p${partition.toString(16).padStart(2, '0')}}:`)

/** The prefix of all keys of a partition. */
export function prefixOf(partition: number): string {
  const prefix = TAGS[partition]
  if (prefix === undefined) throw new RangeError(`there is no partition ${partition}`)
  return prefix
}

const at = (id: string) => prefixOf(partitionOf(id))
/** A webhook queue lies with its source. */
const partitionOfAggregate = ({ kind, id }: AggregateRef) =>
  partitionOf(kind === 'webhook' ? parseQueueId(id).source.id : id)

/** An id as part of a key. '/' stays: it separates no parts of a key, and the ids of pairs are composed with it (joinIds). */
const partOf = (id: string): string => (id.includes('/') ? id.split('/').map(encodeId).join('/') : encodeId(id))
/** The inverse of partOf. */
const idOf = (part: string): string => (part.includes('%') ? part.split('/').map(decodeId).join('/') : part)

// Indexes: one for each partition, or a single one (partition null) where all keys lie on one server.
const indexPrefix = (partition: number | null) => (partition === null ? 'sp:' : prefixOf(partition))
/** Sorted set: state keys, by deadline. One set for each class, so that a backlog of one class does not delay the others.
 * Beside that of webhooks lies a hash, see lua/webhook_counts.lua. */
export const timersKey = (partition: number | null, timerClass: TimerClass) =>
  `${indexPrefix(partition)}timers:${timerClass}`
/** Sorted set: the key of each outbox with undelivered entries, by when its oldest entry began to wait. */
export const waitingKey = (partition: number | null) => `${indexPrefix(partition)}waiting`
/** Sorted set: the live nodes of a Cluster, by their last heartbeat. */
export const NODES_KEY = `${prefixOf(0)}nodes`
export const NODE_KEYS = {
  /** Sorted set: node, by its last report. */
  seen: `${prefixOf(0)}node-seen`,
  /** Hash: node → what it reports to operators. */
  reports: `${prefixOf(0)}node-reports`,
  /** Hash: node → `drain` or `resume`, the last order of an operator. */
  orders: `${prefixOf(0)}node-orders`
}

// Partitions.
/** Never written. Routes the script primary_ask to the primary of the partition. */
export const primaryCheckKey = (partition: number) => `${prefixOf(partition)}primary-check`
/** String: the epoch of the partition, see lua/epoch_record.lua. */
export const epochKey = (partition: number) => `${prefixOf(partition)}epoch`
export const epochKeyOf = (user: string) => epochKey(partitionOf(user))
/** Written before WAIT, see replicas.ts. */
export const replicaKey = (partition: number) => `${prefixOf(partition)}replica`
export const probeChannel = (partition: number, node: string) => `${prefixOf(partition)}probe:${node}`

/** The list of dead letters of one kind. A single list, so that operators find all of them in one place. */
export const deadLetterKeys = (kind: 'chat' | 'webhook') => ({
  /** Hash: id → letter. */
  letters: `${prefixOf(0)}dead-letters:${kind}`,
  /** Sorted set: id, by when the letter was added. */
  ids: `${prefixOf(0)}dead-letter-ids:${kind}`
})
/** The list of revocations. A single list, because each node reads all of it. */
export const REVOCATION_KEYS = {
  /** Hash: id → record, see lua/revocation_put.lua. */
  records: `${prefixOf(0)}revocations`,
  /** Sorted set: id, by when the record expires. */
  expiries: `${prefixOf(0)}revocation-expiries`,
  /** String: another one after each write. */
  head: `${prefixOf(0)}revocation-head`,
  /** Sorted set: by how much clocks of issuers are ahead in milliseconds, by when it is forgotten. */
  issuerLeads: `${prefixOf(0)}issuer-leads`
}
export const REVOCATION_CHANNEL = `${prefixOf(0)}revocations`
export const revocationId = ({ user, device }: { readonly user: string; readonly device: string | null }): string =>
  device === null ? joinIds(user) : joinIds(user, device)
/** The inverse of revocationId. */
export function parseRevocationId(id: string): { user: string; device: string | null } {
  const [user = '', device = null] = splitIds(id)
  return { user, device }
}
/** Hash: webhook destination → since when it is disabled. */
export const DISABLED_WEBHOOKS_KEY = `${prefixOf(0)}disabled-webhooks`

/** The credentials of the devices of the partition's users, see lua/credential_replace.lua. */
export const credentialKeys = (partition: number) => ({
  credentials: `${prefixOf(partition)}device-credentials`,
  expiries: `${prefixOf(partition)}device-credential-expiries`
})

// Aggregates.
const nameOf = ({ kind, id }: AggregateRef) => `${kind}:${partOf(id)}`
/** The aggregate of a state or outbox key. */
export function parseAggregateKey(key: string): AggregateRef {
  const [, , , kind, part = ''] = key.split(':')
  return { kind: kind as AggregateRef['kind'], id: idOf(part) }
}
export const stateKey = (ref: AggregateRef) => `${prefixOf(partitionOfAggregate(ref))}state:${nameOf(ref)}`
export function aggregateKeys(ref: AggregateRef, isOneServer: boolean) {
  const partition = partitionOfAggregate(ref)
  const index = isOneServer ? null : partition
  return {
    state: stateKey(ref),
    outbox: `${prefixOf(partition)}outbox:${nameOf(ref)}`,
    timers: timersKey(index, timerClassOf(ref)),
    waiting: waitingKey(index)
  }
}
export type AggregateKeys = ReturnType<typeof aggregateKeys>

// Rooms: aggregates with more keys.
export function roomKeys(id: string, isOneServer: boolean) {
  const [prefix, part] = [at(id), partOf(id)]
  return {
    ...aggregateKeys({ kind: 'room', id }, isOneServer),
    /** Hash: what follows the first line of each participant's field. */
    details: `${prefix}details:${part}`,
    /** Hashes: the fields of a group, each by their whole name. The first holds the participants: the first line of each. */
    groups: ROOM_GROUPS.map(group => `${prefix}${group}:${part}`),
    /** Hash: the fields that outlive the room. */
    lasting: `${prefix}lasting:${part}`,
    log: `${prefix}log:${part}`,
    /** Hash: id of a log entry → the version that wrote it. */
    logIds: `${prefix}logids:${part}`
  }
}

/** List: a line for each attempt to deliver to this webhook destination. */
export const deliveryLogKey = (destination: string) => `${at(destination)}delivery-log:${partOf(destination)}`
/** List: a line for each note about a call. */
export const callNotesKey = (callId: string) => `${at(callId)}notes:${partOf(callId)}`
/** String: `tag|answer`. */
export const cachedAnswerKey = (id: string) => `${at(id)}cached-answer:${partOf(id)}`

/** String: the user and device (joinIds) that the code with this digest enrolls. */
export const enrollmentCodeKey = (digest: string) => `${at(digest)}enrollment-code:${partOf(digest)}`
/** String: exists while the nonce is not accepted again. */
export const usedNonceKey = (nonce: string) => `${at(nonce)}used-nonce:${partOf(nonce)}`

// Users.
/** Hash: device → its record, see lua/record.lua. */
export const devicesKey = (user: string) => `${at(user)}devices:${partOf(user)}`
/** A script appends the device's name to get the key of its mailbox. It is the last part, so it is not encoded. */
export const mailboxPrefix = (user: string) => `${at(user)}mailbox:${partOf(user)}:`
export const mailboxKey = (user: string, device: string) => mailboxPrefix(user) + device
/** String: the commits of `source` that the user's mailboxes have taken, see lua/taken.lua. */
export const takenCommitsKey = (user: string, source: AggregateRef) =>
  `${at(user)}taken:${partOf(user)}:${nameOf(source)}`
/** String: exists while the peer is a known caller. */
export const knownKey = (user: string, peer: string) => `${at(user)}known:${partOf(user)}:${partOf(peer)}`
/** String: `failures|retry at`. */
export const backoffKey = (user: string, peer: string) => `${at(user)}backoff:${partOf(user)}:${partOf(peer)}`
/** Sorted set: blocked user, by the last use of the block. */
export const blocksKey = (user: string) => `${at(user)}blocks:${partOf(user)}`
/** Hash: holder → lease, see lua/lease.lua. */
export const leasesKey = (user: string) => `${at(user)}leases:${partOf(user)}`
/** Hash: device → its memberships, see lua/membership_add.lua. */
export const membershipsKey = (user: string) => `${at(user)}memberships:${partOf(user)}`
/** Sorted set: room, by the instant until which the invitation rings. */
export const invitationsKey = (user: string) => `${at(user)}invitations:${partOf(user)}`
/** Sorted set: room, by the instant until which it is listed for the media service. */
export const mediaRoomsKey = (service: string) => `${at(service)}media-rooms:${partOf(service)}`
/** String: the users that the device watches, encoded and separated by commas. */
export const watchingKey = (user: string, device: string) => `${at(user)}watching:${partOf(user)}:${partOf(device)}`
/** Sorted set: user and device of each watcher (joinIds), by when the device was last known to watch. */
export const watchersKey = (user: string) => `${at(user)}watchers:${partOf(user)}`
/** Hash: ticket → expiry, device and value, one line each. */
export const ticketsKey = (user: string) => `${at(user)}tickets:${partOf(user)}`
/** Hash: device → its push subscription, see lua/push_subscription_put.lua. */
export const pushSubscriptionsKey = (user: string) => `${at(user)}push:${partOf(user)}`
/** String: the units that are taken in the window of `now`. */
export const budgetKey = (user: string, { name, windowMs, now }: Pick<BudgetCounter, 'name' | 'windowMs' | 'now'>) =>
  `${at(user)}budget:${partOf(user)}:${name}:${windowMs}:${Math.floor(now / windowMs)}`
export const wakeChannel = (user: string) => `${at(user)}wake:${partOf(user)}`

/** The hash slot of a key or channel that starts with the prefix of `partition`: CRC16 (XMODEM) of its tag, modulo 16384. */
export function slotOf(partition: number): number {
  let crc = 0
  for (const unit of prefixOf(partition).slice('sp:{'.length, -'}:'.length)) {
    crc ^= unit.charCodeAt(0) << 8
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff
  }
  return crc & 16383
}
/** The partition of a key or channel of this file that has a hash tag. */
export const partitionIn = (key: string): number => Number.parseInt(key.slice('sp:{p'.length, 'sp:{pXX'.length), 16)
