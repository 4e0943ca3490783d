// Part of the port in store.ts: which aggregates have reached their deadline, and which outboxes have waited too long because the node that
// should have emptied them died. The general promises of store.ts hold.
import type { AggregateRef } from './aggregate.js'

/** Due deadlines are returned in this order; within a class the oldest first. */
export const TIMER_CLASSES = ['call', 'room', 'presence', 'webhook'] as const
export type TimerClass = (typeof TIMER_CLASSES)[number]

const CLASS_OF: Readonly<Record<AggregateRef['kind'], TimerClass>> = {
  call: 'call',
  pair: 'call',
  room: 'room',
  chat: 'room',
  presence: 'presence',
  webhook: 'webhook'
}
export const timerClassOf = ({ kind }: AggregateRef): TimerClass => CLASS_OF[kind]

export interface ClaimedTimers {
  /**
   * Aggregates of the requested classes whose deadline has passed, in the order of TIMER_CLASSES. Each is claimed for `claimMs`; after that
   * another node can claim it.
   */
  readonly due: readonly AggregateRef[]
  /**
   * Aggregates whose undelivered or held mail, or unpublished log, has waited longer than `staleMs`. Each is returned again only after
   * another `staleMs`. `load` delivers mail that is not held.
   */
  readonly stale: readonly AggregateRef[]
  /** The claim marker of `due`, see claim-marker.ts. */
  readonly claimedUntil: number
  /** The limit may have cut off some: claim again at once. */
  readonly more: boolean
  /** When to claim again otherwise. A node that does so finds each deadline, and each stale outbox, at most a second late. */
  readonly nextClaimAt: number
}

export interface ClaimOptions {
  readonly now: number
  readonly claimMs: number
  readonly staleMs: number
  /** Applies to `due` and `stale` separately; on a Cluster, in each partition. */
  readonly limit: number
  readonly classes: readonly TimerClass[]
}

export interface ListOptions {
  readonly kind: AggregateRef['kind']
  readonly limit: number
  /** `next` of the page before; null: the first page. */
  readonly after: string | null
}

export interface AggregatePage {
  readonly refs: readonly AggregateRef[]
  /** Null: this is the last page. */
  readonly next: string | null
}

export interface Timers {
  /**
   * Claims this node's share of what is due. On one server that is all of it; on a Cluster it is the next of CLAIM_TURNS parts of the
   * partitions that this node reads. Every partition is read by at least one node.
   */
  claimDue(options: ClaimOptions): Promise<ClaimedTimers>
  /**
   * A page of the aggregates of one kind that have a deadline, in no order. One that has a deadline from the first page to the last is on at
   * least one of them, and on two only if the index grew or shrank meanwhile. A page may have fewer than `limit`, or none, and not be the
   * last: the work for one page is bounded. Null: `after` is no `next`.
   */
  list(options: ListOptions): Promise<AggregatePage | null>
}

/** This many claims in a row cover all partitions that a node reads. */
export const CLAIM_TURNS = 8
