// Fan-out in Redis: the log is the aggregate's outbox stream, the lease a field of its state hash. The recipients are in a hash (the
// participants of a room) or a sorted set (the watchers of a user).
import { splitIds } from '../../id-text.js'
import type { FanoutRef, Fanouts, Recipient } from '../fanout.js'
import { toRecipient } from '../rooms.js'
import type { RunCommand } from './clients.js'
import { aggregateKeys, roomKeys, watchersKey } from './keys.js'
import { toOutboxEntry } from './outbox.js'
import { parseField } from './rooms.js'
import { nextFanout, renewFanout } from './scripts.js'
import { formatStamp } from './stamp.js'
import type { Topology } from './topology.js'

function keysOf(ref: FanoutRef, isOneServer: boolean) {
  const keys = aggregateKeys(ref, isOneServer)
  if (ref.kind === 'presence') return { ...keys, recipients: watchersKey(ref.id), type: 'set', expiring: [] }
  const { log, logIds, details, groups } = roomKeys(ref.id, isOneServer)
  const [members = '', hidden = '', ...others] = groups
  return { ...keys, recipients: members, type: 'hash', expiring: [hidden, log, logIds, details, ...others] }
}

/** `name` and `value` are a participant's field, or a watcher (joinIds) and when it was last known to watch. */
function recipientOf(kind: FanoutRef['kind'], name: string, value: string): Recipient {
  if (kind === 'room') return toRecipient(parseField(value))
  const [user = '', device = ''] = splitIds(name)
  return { user, device, participantId: '', since: 0 }
}

function toRecipients(kind: FanoutRef['kind'], flat: readonly string[]): Recipient[] {
  const found: Recipient[] = []
  for (let i = 0; i < flat.length; i += 2) found.push(recipientOf(kind, flat[i] ?? '', flat[i + 1] ?? ''))
  return found
}

export function createRedisFanouts(runCommand: RunCommand, topology: Pick<Topology, 'isOneServer'>): Fanouts {
  return {
    async next(ref, { node, published, appendsMax, entriesMax, from, page, leaseMs, now }) {
      const { state, outbox, waiting, recipients, type, expiring } = keysOf(ref, topology.isOneServer())
      const reply = await nextFanout(
        runCommand,
        [outbox, waiting, state, recipients, ...expiring],
        [node, now, Math.ceil(now + leaseMs), formatStamp(published), appendsMax, entriesMax, type, from ?? '0', page]
      )
      if (reply[0] === 'IDLE') return { status: 'idle' }
      if (reply[0] === 'BUSY') return { status: 'busy' }
      const [, entries, next, found] = reply
      return {
        status: 'batch',
        entries: entries.map(toOutboxEntry),
        recipients: toRecipients(ref.kind, found),
        next: next === '0' ? null : next
      }
    },
    async renew(ref, { node, leaseMs, now }) {
      const { state, outbox, waiting } = aggregateKeys(ref, topology.isOneServer())
      return (await renewFanout(runCommand, [state, outbox, waiting], [node, now, Math.ceil(now + leaseMs)])) === 'OK'
    }
  }
}
