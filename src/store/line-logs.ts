// Part of the port in store.ts: logs of short lines, of which the newest are kept. The general promises of store.ts hold.

export interface LineLogBounds {
  /** Most lines of a log: the newest. */
  readonly max: number
  /** A log expires this long after its newest line. */
  readonly keepMs: number
}

export interface LineLogs {
  add(id: string, lines: readonly string[], bounds: LineLogBounds): Promise<void>
  /** The newest `limit` lines, oldest first. */
  list(id: string, limit: number): Promise<readonly string[]>
}

/** The delivery log of each destination: its newest attempts. */
export const DELIVERY_LOG: LineLogBounds = { max: 1_000, keepMs: 7 * 24 * 3_600_000 }

/** Most notes of a call. They expire with the call. */
export const CALL_NOTES_MAX = 64
