// A part of the port in store.ts: who watches whose presence. The promises at the top of that file hold here too.
//
// A device's own list lies with its user and is the truth. The watchers of a user lie with the user who is watched: an index,
// which may name a device that watches no more until somebody looks. There may be very many: nobody reads them all at once.

/** A device that watches. */
export interface Watcher {
  readonly user: string
  readonly device: string
}

export interface WatcherRecord extends Watcher {
  /** When it was last known to be there and to watch. */
  readonly at: number
}

export interface Watches {
  /** Whom the device watches. Asking keeps the list for another while: one that nobody asks about for long goes by itself. */
  list(watcher: Watcher): Promise<readonly string[]>
  /** Replaces the device's list; an empty one takes it away. Resolves to the list that was replaced. */
  put(watcher: Watcher, users: readonly string[]): Promise<readonly string[]>
  /** Adds a watcher of `user`, or renews one. False, and nothing is written: as many others as may be watch already. */
  add(user: string, watched: WatcherRecord, max: number): Promise<boolean>
  /** Idempotent. */
  remove(user: string, watcher: Watcher): Promise<void>
  isWatched(user: string): Promise<boolean>
  /** Those last known to watch at `until` or before, at most `limit`, the longest ago first. */
  watchers(user: string, options: { until: number; limit: number }): Promise<readonly WatcherRecord[]>
}

/** Of lists and watchers: a backstop. Those who are there are looked at, and so renewed, much more often. */
export const watchTtlMs = (retentionMs: number): number => Math.max(3_600_000, 4 * retentionMs)
