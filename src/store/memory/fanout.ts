// Fan-out in memory.
import { joinIds } from '../../id-text.js'
import { isSameStamp, type OutboxEntry } from '../aggregate.js'
import type { FanoutOptions, FanoutRef, Fanouts, Recipient } from '../fanout.js'
import type { TimerEntry, TimerIndex } from './timer-index.js'

export interface FanoutLog extends TimerEntry {
  /** Entries that are not published to all recipients, oldest first. Replaced, never changed: callers keep references. */
  pending: readonly OutboxEntry[]
  lease: { readonly node: string; readonly until: number } | null
}

/** The aggregates of one kind that have a fan-out log. */
export interface FanoutSource {
  find(id: string): FanoutLog | undefined
  recipients(id: string): readonly Recipient[]
  /** Called when the last entry has been published. */
  drained(log: FanoutLog): void
}

const nameOf = ({ user, device }: Recipient) => joinIds(user, device)

/** Sorted by name, so that a recipient that leaves between two pages does not shift the others. */
function pageOf(recipients: readonly Recipient[], { from, page }: Pick<FanoutOptions, 'from' | 'page'>) {
  const rest = recipients
    .filter(recipient => from === null || nameOf(recipient) > from)
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  const chosen = rest.slice(0, page)
  const last = chosen.at(-1)
  return { chosen, next: last && rest.length > page ? nameOf(last) : null }
}

export function createMemoryFanouts(
  { waiting }: Pick<TimerIndex, 'waiting'>,
  sources: Readonly<Record<FanoutRef['kind'], FanoutSource>>
): Fanouts {
  /** From here on the log counts as waiting since `now`. */
  function lease(log: FanoutLog, { node, leaseMs, now }: Pick<FanoutOptions, 'node' | 'leaseMs' | 'now'>): void {
    log.lease = { node, until: now + leaseMs }
    waiting.set(log, now)
  }

  return {
    async next({ kind, id }, { published, appendsMax, entriesMax, ...options }) {
      const source = sources[kind]
      const log = source.find(id)
      if (!log) return { status: 'idle' }
      if (log.lease && log.lease.node !== options.node && log.lease.until > options.now) return { status: 'busy' }
      const isKnown = log.pending.some(entry => isSameStamp(entry, published))
      const before = log.pending.length
      if (isKnown) log.pending = log.pending.filter(({ version }) => version > (published?.version ?? 0))
      if (log.pending.length === 0) {
        log.lease = null
        waiting.delete(log)
        // Only dropping the last entry starts the expiry; another call for an empty log does not restart it.
        if (before > 0) source.drained(log)
        return { status: 'idle' }
      }
      lease(log, options)
      const all = source.recipients(id)
      const page = kind === 'room' ? Math.max(1, all.length) : options.page
      const { chosen, next } = pageOf(all, { from: options.from, page })
      const limit = Math.max(1, Math.min(entriesMax, Math.floor(appendsMax / page)))
      return { status: 'batch', entries: log.pending.slice(0, limit), recipients: chosen, next }
    },
    async renew({ kind, id }, options) {
      const log = sources[kind].find(id)
      if (log?.lease?.node !== options.node) return false
      lease(log, options)
      return true
    }
  }
}
