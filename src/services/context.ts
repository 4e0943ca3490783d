// What every service is given: plain values made once in app.ts. No service reaches for anything ambient.
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../clock.js'
import type { Config } from '../config.js'
import type { CallRecord } from '../domain/call/tombstone.js'
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

/** What one service alone remembers on this node: made when it is first asked for. */
export function perContext<T extends object>(make: () => T): (context: Context) => T {
  const made = new WeakMap<Context, T>()
  return context => {
    const known = made.get(context)
    if (known) return known
    const fresh = make()
    made.set(context, fresh)
    return fresh
  }
}

export interface Context {
  readonly config: Config
  readonly clock: Clock
  readonly ids: Ids
  readonly log: FastifyBaseLogger
  readonly metrics: Metrics
  readonly store: Store
  /** This process, among those that share the store. */
  readonly node: string
  readonly calls: Cache<CallRecord>
  readonly pairs: Cache<PairState>
  /** Wakes the fan-out worker of this node. It publishes what waits in the log. */
  readonly startFanout: (ref: FanoutRef) => void
  readonly chats: Cache<QueueState>
  readonly chatBacklog: Backlog
  readonly background: BackgroundTasks
  readonly budgets: Budgets
  /** Of clients whose token is missing or refused. */
  readonly addresses: AddressBudget
}
