// What webhooks need from time to time: which destinations other nodes have disabled or enabled, the records of deliveries, and metrics.
import type { Context } from '../services/context.js'
import { destinationsOf, refreshDisabled } from '../services/webhooks/destinations.js'
import { writeRecords } from '../services/webhooks/records.js'

const REFRESH_MS = 1000
/** The usual interval of Prometheus. On a Cluster each measurement reads all partitions. */
const MEASURE_MS = 15_000

/** Starts the worker. The returned function stops it, and writes the last records. */
export function startWebhooks(context: Context): () => Promise<void> {
  const { clock, config, log } = context
  if (config.webhookUrls.length === 0) return async () => undefined
  const tryTo = (what: string, run: () => Promise<unknown>) => {
    run().catch(error => log.debug({ err: error }, `${what}; tried again soon`))
  }
  const stops = [
    clock.every(REFRESH_MS, () => {
      tryTo('disabled webhooks not read', () => refreshDisabled(context))
      tryTo('records of webhooks not written', () => writeRecords(context))
    }),
    clock.every(MEASURE_MS, () => tryTo('webhook queues not counted', () => measure(context)))
  ]
  tryTo('disabled webhooks not read', () => refreshDisabled(context))
  return async () => {
    for (const stop of stops) stop()
    await writeRecords(context)
  }
}

async function measure(context: Context): Promise<void> {
  const { metrics, store, clock } = context
  const { queues, dueAt } = await store.webhookQueues.backlog()
  metrics.webhookQueues.set(queues)
  metrics.webhookOverdueSeconds.set(dueAt === null ? 0 : Math.max(0, clock.now() - dueAt) / 1000)
  for (const { id, disabledAt, health } of destinationsOf(context).values())
    metrics.webhookUp.set({ destination: id }, disabledAt === null && health.probeAt === null ? 1 : 0)
}
