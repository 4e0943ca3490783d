// A part of the port in store.ts: fan-out. What the commits of a room, or of a watched user's presence, leave in the outbox goes to
// recipients who are looked up when it is published: the devices in the room, or those that watch. One node at a time publishes,
// under a lease that it renews as it makes progress. The promises at the top of store.ts hold here too.
import type { AggregateRef, OutboxEntry, Stamp } from './aggregate.js'

/** What has a fan-out log. */
export interface FanoutRef extends AggregateRef {
  readonly kind: 'room' | 'presence'
}

/**
 * How long a fan-out lease lasts without progress. Shorter than the time after which an outbox counts as stale (workers/timers.ts):
 * whoever finds a stale one finds the lease lapsed, and what a dead node left is published within the promised two seconds.
 */
export const FANOUT_LEASE_MS = 700

/** A device that is published to. */
export interface Recipient {
  readonly user: string
  readonly device: string
  /** In a room, the participant; otherwise ''. */
  readonly participantId: string
  /** The version of the room that let it in: earlier commits are not for it. 0 for a watching device. */
  readonly since: number
}

export interface FanoutOptions {
  readonly node: string
  /** The newest commit that all recipients have, if this node knows it: it and what came before is dropped. */
  readonly published: Stamp | null
  /** The batch is bounded by entries × recipients, and by entries. One entry comes in any case. */
  readonly appendsMax: number
  readonly entriesMax: number
  /** Where the page of recipients begins: `next` of the page before, or null for the first. */
  readonly from: string | null
  /** Recipients of a page, about. Those of a room come all at once: the devices of one user must not be parted. */
  readonly page: number
  readonly leaseMs: number
  readonly now: number
}

export type FanoutStep =
  /**
   * The oldest commits that wait, and a page of those they are for. Who is a recipient all the while is on one of the pages, and perhaps on two.
   * `next` is null with the last page.
   */
  | {
      readonly status: 'batch'
      readonly entries: readonly OutboxEntry[]
      readonly recipients: readonly Recipient[]
      readonly next: string | null
    }
  /** Nothing waits any more, and the lease is free: the next commit grants it. */
  | { readonly status: 'idle' }
  /** Another node holds the lease, and finds what was committed meanwhile as well. */
  | { readonly status: 'busy' }

export interface Fanouts {
  /**
   * Takes or renews the lease, drops what was published, hands out the next batch. Nothing is written on 'busy'. A node that does not come
   * back within `leaseMs` loses the lease: another node may publish the batch once more, and mailboxes drop what they have. With the
   * lease the outbox waits anew from `now` on, as far as claimDue is concerned.
   */
  next(ref: FanoutRef, options: FanoutOptions): Promise<FanoutStep>
  /** Renews the lease in the middle of a batch. False: it lapsed and is gone, so the rest of the batch is not this node's. */
  renew(ref: FanoutRef, options: Pick<FanoutOptions, 'node' | 'leaseMs' | 'now'>): Promise<boolean>
}
