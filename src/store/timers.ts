// A part of the port in store.ts: aggregates whose deadline has come, and outboxes that have waited too long because the node that
// should have emptied them died. The promises at the top of store.ts hold here too.
import type { AggregateRef } from './aggregate.js'

/** Deadlines that are due are served in this order, the oldest of a class first. */
export const TIMER_CLASSES = ['call', 'room', 'presence'] as const
export type TimerClass = (typeof TIMER_CLASSES)[number]

const CLASS_OF: Readonly<Record<AggregateRef['kind'], TimerClass>> = {
  call: 'call',
  pair: 'call',
  room: 'room',
  chat: 'room',
  presence: 'presence'
}
export const timerClassOf = ({ kind }: AggregateRef): TimerClass => CLASS_OF[kind]

export interface ClaimedTimers {
  /**
   * Aggregates of the classes asked for whose deadline has passed, in the order of TIMER_CLASSES; each is claimed for `claimMs`, after
   * which another node may claim it again.
   */
  readonly due: readonly AggregateRef[]
  /**
   * Aggregates with mail that is not delivered (`load` delivers it), or is held back, or with a log that is not published, for longer
   * than `staleMs`; each comes up again only after as long again.
   */
  readonly stale: readonly AggregateRef[]
  /** Until when what is due is held: it names the claim, see Rooms.rest. */
  readonly claimedUntil: number
  /** The limit may have left something behind: claim again at once. */
  readonly more: boolean
  /** When to claim again otherwise. Who does so finds each deadline, and each stale outbox, a second late at most. */
  readonly nextClaimAt: number
}

export interface ClaimOptions {
  readonly now: number
  readonly claimMs: number
  readonly staleMs: number
  /** Of `due` and of `stale`, each; on a Cluster, of each partition. */
  readonly limit: number
  readonly classes: readonly TimerClass[]
}

export interface Timers {
  /**
   * Of what is due, this node's share: all of it, or on a Cluster the next of CLAIM_TURNS parts of the partitions that this node
   * reads. Every partition has at least one node that reads it.
   */
  claimDue(options: ClaimOptions): Promise<ClaimedTimers>
}

/** So many claims one after the other see all that is the node's share. */
export const CLAIM_TURNS = 8
