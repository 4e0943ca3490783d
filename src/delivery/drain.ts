// Draining a node: it reports not ready, serves on while load balancers take it out, then sends its streams away. An operator may drain it and
// take that back; the process goes on, with its timers and background tasks. A node that ends is drained for good.
import { type Clock, wait } from '../clock.js'
import type { Config } from '../config.js'
import type { Streams } from './streams.js'

/** `draining`: not ready, with streams that are still to be sent away. `closing`: the process ends. */
export type DrainState = 'ready' | 'draining' | 'drained' | 'closing'

export interface Drain {
  readonly state: () => DrainState
  /** By an operator. Idempotent; a node that closes stays as it is. */
  set(isDrained: boolean): void
  /** Before the end of the process. Resolves when all streams have left, and no more are accepted. */
  close(): Promise<void>
  /** Ends the waits of an operator's drain. */
  stop(): void
}

interface Parts {
  readonly clock: Clock
  readonly config: Pick<Config, 'drainSettleMs' | 'drainWindowMs'>
  readonly streams: Streams
}

export function createDrain({ clock, config, streams }: Parts): Drain {
  const { drainSettleMs, drainWindowMs: windowMs } = config
  let state: DrainState = 'ready'
  let undone = new AbortController()

  async function sendStreamsAway({ signal }: AbortController): Promise<void> {
    await wait(clock, drainSettleMs, signal)
    await streams.sendAway({ windowMs, signal })
    if (!signal.aborted) state = 'drained'
  }

  return {
    state: () => state,
    set(isDrained) {
      if (state === 'closing' || isDrained === (state !== 'ready')) return
      undone.abort()
      undone = new AbortController()
      state = isDrained ? 'draining' : 'ready'
      if (isDrained) void sendStreamsAway(undone)
    },
    async close() {
      const isSettled = state === 'drained'
      undone.abort()
      state = 'closing'
      if (!isSettled) await wait(clock, drainSettleMs)
      await streams.drain({ windowMs })
    },
    stop: () => undone.abort()
  }
}
