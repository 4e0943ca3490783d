// A part of the port in store.ts: who watches whose presence. The promises at the top of that file hold here too.
//
// A device's own list lies with its user and is the truth. The watchers of a user lie with the user who is watched: an index,
// which may name a device that watches no more until somebody looks.

/** A device that watches. */
export interface Watcher {
  readonly user: string
  readonly device: string
}

export interface Watched extends Watcher {
  /** When it was last known to be there and to watch. */
  readonly at: number
}

export interface Watches {
  /** Whom the device watches. Asking keeps the list for another while: one that nobody asks about for long goes by itself. */
  list(watcher: Watcher): Promise<readonly string[]>
  /** Replaces the device's list; an empty one takes it away. */
  put(watcher: Watcher, users: readonly string[]): Promise<void>
  /** Adds a watcher of `user`, or renews one. False, and nothing is written: as many others as may be watch already. */
  add(user: string, watched: Watched, max: number): Promise<boolean>
  /** Idempotent. */
  remove(user: string, watcher: Watcher): Promise<void>
  watchers(user: string): Promise<readonly Watched[]>
}

/** Of lists and watchers: a backstop. Those who are there are looked at, and so renewed, much more often. */
export const watchTtlMs = (retentionMs: number): number => Math.max(3_600_000, 4 * retentionMs)
