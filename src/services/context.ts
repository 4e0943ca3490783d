// What every service gets as its first argument. Created once, in app.ts.
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../clock.js'
import type { Config } from '../config.js'
import type { CallIdRecord } from '../domain/call/tombstone.js'
import type { QueueState } from '../domain/chat/service-queue.js'
import type { PairState } from '../domain/room/pair.js'
import type { Ids } from '../ids.js'
import type { Metrics } from '../metrics.js'
import type { FanoutRef } from '../store/fanout.js'
import type { Store } from '../store/store.js'
import type { AddressBudget } from './address-budget.js'
import type { BackgroundTasks } from './background-tasks.js'
import type { Budgets } from './budgets.js'
import type { Cache } from './cache.js'
import type { Backlog } from './chat/backlog.js'

/** State that one service keeps in this process, created at its first use. */
export function perContext<T extends object>(create: () => T): (context: Context) => T {
  const values = new WeakMap<Context, T>()
  return context => {
    const known = values.get(context)
    if (known) return known
    const value = create()
    values.set(context, value)
    return value
  }
}

export interface Context {
  readonly config: Config
  readonly clock: Clock
  readonly ids: Ids
  readonly log: FastifyBaseLogger
  readonly metrics: Metrics
  readonly store: Store
  /** The id of this process among those that share the store. */
  readonly node: string
  readonly calls: Cache<CallIdRecord>
  readonly pairs: Cache<PairState>
  /** Wakes the fan-out worker of this node. It publishes what waits in the log. */
  readonly startFanout: (ref: FanoutRef) => void
  /** Participants have left the room: the media service closes what they had, in the background. */
  readonly closeMediaOfFormer: (roomId: string) => void
  readonly chats: Cache<QueueState>
  readonly chatBacklog: Backlog
  readonly background: BackgroundTasks
  readonly budgets: Budgets
  /** The budget of clients whose token is missing or invalid. */
  readonly addresses: AddressBudget
}
