// Part of the port in store.ts: wake-ups, hints to open streams; the mailbox is the truth. The general promises of store.ts hold.
import type { AggregateRef, Stamp } from './aggregate.js'
import type { StoredEvent } from './mail.js'

export type Wakeup =
  /** At least one event was appended. `prevTag` is the tag of the event before them, or of the empty mailbox's cursor. */
  | {
      readonly kind: 'event'
      readonly device: string
      readonly prevTag: string
      readonly events: readonly StoredEvent[]
    }
  /** This connection has superseded the device's previous one. */
  | { readonly kind: 'claimed'; readonly device: string; readonly connection: string }
  /** The device used a newer token: its connection may last until `expiresAt`; null: without limit. */
  | { readonly kind: 'auth'; readonly device: string; readonly expiresAt: number | null }
  /** The device was removed. */
  | { readonly kind: 'gone'; readonly device: string }
  /** A notice: stored nowhere, may be lost. `envelope` is JSON text on one line. */
  | { readonly kind: 'notice'; readonly device: string; readonly type: string; readonly envelope: string }
  /** Wake-ups may have been lost: read the mailboxes of all the user's devices again. */
  | { readonly kind: 'gap' }
export type Notice = Extract<Wakeup, { kind: 'notice' }>

export interface Wakeups {
  /** Once resolved, every later wake-up of the user arrives. The returned function unsubscribes. */
  subscribe(user: string, listen: (wakeup: Wakeup) => void): Promise<() => Promise<void>>
  /**
   * Called with the new state when a commit had events for a user who is subscribed here. Such a hint may be late or lost. The returned
   * function unsubscribes.
   */
  onCommit(listen: (ref: AggregateRef, written: Stamp & { readonly state: string }) => void): () => void
  /** Sends to current subscribers and writes nothing. */
  notify(user: string, notice: Omit<Notice, 'kind'>): Promise<void>
}
