// Part of the port in store.ts: which devices watch the presence of which users. The general promises of store.ts hold.
//
// A device's list of watched users lies in the partition of the watcher and is the truth. The watchers of a user lie in the partition of
// the watched user: an index, which may name a device that has stopped watching. A user can have very many watchers, so they are read
// in pages.

export interface Watcher {
  readonly user: string
  readonly device: string
}

export interface WatcherRecord extends Watcher {
  /** When the device was last known to watch. */
  readonly at: number
}

export interface Watches {
  /** The users that the device watches. Reading renews the list, which otherwise expires. */
  list(watcher: Watcher): Promise<readonly string[]>
  /** Replaces the device's list; an empty one deletes it. Resolves to the previous list. */
  put(watcher: Watcher, users: readonly string[]): Promise<readonly string[]>
  /** Adds or renews a watcher of `user`. False, and nothing is written: `max` others watch already. */
  add(user: string, watcher: WatcherRecord, max: number): Promise<boolean>
  /** Idempotent. */
  remove(user: string, watcher: Watcher): Promise<void>
  isWatched(user: string): Promise<boolean>
  /** At most `limit` watchers with `at` ≤ `until`, the oldest first. */
  watchers(user: string, options: { until: number; limit: number }): Promise<readonly WatcherRecord[]>
}

/** TTL of lists and watchers, a backstop: they are renewed much more often while devices watch. */
export const watchTtlMs = (retentionMs: number): number => Math.max(3_600_000, 4 * retentionMs)
