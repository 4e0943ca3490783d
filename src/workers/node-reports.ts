// Reports this node to the others every second, and carries out what operators have ordered for it.
import { hostname } from 'node:os'
import type { Context } from '../services/context.js'
import { type NodeReport, reportNode } from '../services/operator/nodes.js'

const REPORT_EVERY_MS = 1000

interface ReportedNode extends Pick<NodeReport, 'version'> {
  readonly status: () => Pick<NodeReport, 'state' | 'streams' | 'polls'>
  readonly drain: (isDrained: boolean) => void
}

/** Starts the worker. The returned function stops it, and tells the other nodes that this one has ended. */
export function startNodeReports(context: Context, { version, status, drain }: ReportedNode): () => Promise<void> {
  const { clock, store, node, log } = context
  const about = { host: hostname(), version, startedAt: new Date(clock.now()).toISOString() }
  let running: Promise<void> | null = null

  async function report(): Promise<void> {
    try {
      const order = await reportNode(context, { ...about, ...status() })
      if (order !== null) drain(order === 'drain')
    } catch (error) {
      log.debug({ err: error }, 'node not reported')
    }
    running = null
  }
  const tick = () => {
    running ??= report()
  }
  tick()
  const stop = clock.every(REPORT_EVERY_MS, tick)
  return async () => {
    stop()
    await running
    await store.nodes.remove(node).catch(error => log.debug({ err: error }, 'node not removed; it is forgotten'))
  }
}
