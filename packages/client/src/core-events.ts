// The events of the core, by type. No code.
import type { EventData, Snapshot } from './api.js'
import type { ConnectionState } from './connection.js'
import type { Problem } from './problem.js'

/** An event of the mailbox, with its cursor as `id`; or a notice, such as `chat.typing`, without. */
export type SignalpostEvent = {
  [Type in keyof EventData]: {
    readonly id: string | null
    readonly type: Type
    readonly timestamp: string
    readonly data: EventData[Type]
  }
}[keyof EventData]

export interface CoreEvents extends EventData {
  /** Each event once, in order. */
  event: SignalpostEvent
  connection: ConnectionState
  /** Events may be missing: go on from the snapshot. */
  reset: { readonly reason: string; readonly snapshot: Snapshot }
  /**
   * The connection has ended for good. `reason`: `closed` by you; `superseded` or another one of the event `end`; or the code of `problem`,
   * with which a request of the connection was refused.
   */
  closed: { readonly reason: string; readonly problem: Problem | null }
  /** What another tab of this device did, as it shared it. */
  own: unknown
  /** A listener threw, or something failed that no call of yours waits for. */
  error: unknown
}
