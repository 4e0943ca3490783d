// Lists the aggregates that have a deadline, by scanning the timer indexes with ZSCAN: the indexes exist anyway, so a list costs nothing
// until someone asks for it. ZSCAN goes through the hash table of the set, in which a member stays in its place when its deadline changes.
import { PARTITIONS } from '../partition.js'
import { type ListOptions, type Timers, timerClassOf } from '../timers.js'
import type { RunCommand } from './clients.js'
import { parseAggregateKey, timersKey } from './keys.js'
import type { Topology } from './topology.js'

/**
 * Members that one ZSCAN looks at, or a few more: it ends at the end of a bucket, so where it ends depends on what was added or removed. A small
 * set is one listpack, which a ZSCAN returns as a whole, whatever this says.
 */
const SCAN_COUNT = 200
/** Members that one page looks at: an index has other kinds of aggregates, too. */
const SCANNED_MAX = 10_000

/** Where a page ended. */
interface Position {
  readonly partition: number
  /** Of the ZSCAN to send next. */
  readonly cursor: string
  /**
   * That ZSCAN was sent for the page before, which took its members up to `last`, in the order of their names. Only where a single bucket or
   * listpack has more members than a page: other pages end where a ZSCAN ended.
   */
  readonly taken: { readonly last: string; readonly next: string } | null
}

interface Parts {
  readonly runCommand: RunCommand
  readonly topology: Pick<Topology, 'isOneServer'>
}

export function createTimerList({ runCommand, topology }: Parts): Timers['list'] {
  const indexesOf = (kind: ListOptions['kind']): string[] => {
    const partitions = topology.isOneServer() ? [null] : Array.from({ length: PARTITIONS }, (_, n) => n)
    return partitions.map(partition => timersKey(partition, timerClassOf({ kind, id: '' })))
  }

  /** The members in the order of their names. */
  async function scan(index: string, cursor: string, count: number): Promise<{ next: string; members: string[] }> {
    const [next, flat] = await runCommand(client => client.zscan(index, cursor, 'COUNT', count))
    return { next, members: [...new Set(flat.filter((_, i) => i % 2 === 0))].sort() }
  }

  return async ({ kind, limit, after }) => {
    const indexes = indexesOf(kind)
    const sizes = await Promise.all(indexes.map(index => runCommand(client => client.zcard(index))))
    const startAt = (partition: number): Position | null => {
      const found = sizes.findIndex((size, n) => n >= partition && size > 0)
      return found < 0 ? null : { partition: found, cursor: '0', taken: null }
    }
    let position = after === null ? startAt(0) : parsePosition(after)
    if (after !== null && position === null) return null
    const found: string[] = []
    let count = position?.taken ? 1 : Math.min(limit, SCAN_COUNT)
    for (let scanned = 0; position !== null && found.length < limit && scanned < SCANNED_MAX; ) {
      const { partition, cursor, taken }: Position = position
      const index = indexes[partition]
      if (index === undefined) return null
      const { next, members } = await scan(index, cursor, count)
      // If `next` differs, a bucket was filled or emptied: these are other members than those of the page before.
      const isTaken = (key: string) => taken?.next === next && key <= taken.last
      const left = members.filter(key => parseAggregateKey(key).kind === kind && !isTaken(key))
      const excess = left.length - (limit - found.length)
      if (excess > 0 && found.length > 0) break
      if (excess > 0 && count > 1) {
        count = Math.max(1, Math.floor(count * 0.9) - excess)
        continue
      }
      found.push(...left.splice(0, limit))
      scanned += members.length + 1
      if (left.length > 0) position = { partition, cursor, taken: { next, last: found.at(-1) ?? '' } }
      else position = next === '0' ? startAt(partition + 1) : { partition, cursor: next, taken: null }
      count = SCAN_COUNT
    }
    return { refs: found.map(parseAggregateKey), next: position && formatPosition(position) }
  }
}

const formatPosition = ({ partition, cursor, taken }: Position): string =>
  Buffer.from(JSON.stringify([partition, cursor, ...(taken ? [taken.next, taken.last] : [])])).toString('base64url')

function parsePosition(text: string): Position | null {
  try {
    const [partition, cursor, next, last] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[]
    if (!Number.isSafeInteger(partition) || Number(partition) < 0) return null
    // Redis has cursors of 64 bits, and refuses others with an error.
    if (typeof cursor !== 'string' || !/^[0-9]{1,20}$/.test(cursor) || BigInt(cursor) >= 2n ** 64n) return null
    const taken = typeof next === 'string' && typeof last === 'string' ? { next, last } : null
    return { partition: Number(partition), cursor, taken }
  } catch {
    return null
  }
}
