// Part of the port in store.ts: fan-out. The commits of a room, or of a watched user's presence, write to a fan-out log. One node at a time
// publishes the log to its recipients (the devices in the room, or the watchers) under a lease that it renews while it makes progress.
// The general promises of store.ts hold.
import type { AggregateRef, OutboxEntry, Stamp } from './aggregate.js'

/** An aggregate that has a fan-out log. */
export interface FanoutRef extends AggregateRef {
  readonly kind: 'room' | 'presence'
}

/**
 * How long a fan-out lease lasts without progress. Shorter than the age at which an outbox counts as stale (workers/timers.ts): a node
 * that finds a stale log finds its lease lapsed, and publishes what a dead node left within the promised two seconds.
 */
export const FANOUT_LEASE_MS = 700

export interface Recipient {
  readonly user: string
  readonly device: string
  /** '' for a watcher. */
  readonly participantId: string
  /** The version of the room at which the device joined: it receives later commits only. 0 for a watcher. */
  readonly since: number
}

export interface FanoutOptions {
  readonly node: string
  /** The newest commit that all recipients have, if this node knows it. It and all earlier entries are dropped from the log. */
  readonly published: Stamp | null
  /** Bounds entries × recipients of a batch. A batch has at least one entry. */
  readonly appendsMax: number
  readonly entriesMax: number
  /** Where the page of recipients begins: `next` of the previous page, or null for the first. */
  readonly from: string | null
  /** Approximate number of watchers on a page. The recipients of a room are never split: a user's devices must stay together. */
  readonly page: number
  readonly leaseMs: number
  readonly now: number
}

export type FanoutStep =
  /**
   * The oldest unpublished entries, and one page of recipients. A recipient that exists during the whole iteration is on at least one
   * page, perhaps on two. `next` is null on the last page.
   */
  | {
      readonly status: 'batch'
      readonly entries: readonly OutboxEntry[]
      readonly recipients: readonly Recipient[]
      readonly next: string | null
    }
  /** The log is empty and the lease is free: the next commit grants it. */
  | { readonly status: 'idle' }
  /** Another node holds the lease. It will also publish what has been committed since. */
  | { readonly status: 'busy' }

export interface Fanouts {
  /**
   * Takes or renews the lease, drops the published entries, and returns the next batch. Writes nothing on 'busy'. If the node does not
   * return within `leaseMs`, another node may publish the batch again; mailboxes drop repeats. For claimDue the log's age starts anew
   * at `now`.
   */
  next(ref: FanoutRef, options: FanoutOptions): Promise<FanoutStep>
  /** Renews the lease in the middle of a batch. False: the node has lost it and must not publish the rest of the batch. */
  renew(ref: FanoutRef, options: Pick<FanoutOptions, 'node' | 'leaseMs' | 'now'>): Promise<boolean>
}
