// Finds a connection that is open and deaf: a message is published to each line at regular intervals, as every other message is. Two in
// a row that do not arrive, and the line is replaced and its listeners read again. One alone may be a stall of this process, whose
// timers fire before what lies in its sockets is read.
//
// Runs on real time, as availability.ts does: it watches a real thing, also when a test moves its clock by hand.
import type { Channels } from './channels.js'
import type { Attempt, Client } from './clients.js'
import { probeChannel } from './keys.js'
import { onePartitionEach } from './topology.js'

const MISSES_MAX = 2

interface Probe {
  /** Null until the channel is heard. */
  leave: (() => Promise<void>) | null
  /** Published, and not yet arrived. */
  isOut: boolean
  misses: number
}

export interface ProbeOptions {
  /** A deaf line is replaced after three of these at most: one until the next message, and two that are missed. */
  readonly everyMs: number
  /** Tells this process's messages from those of others. */
  readonly node: string
  readonly onDeaf: (partition: number) => void
}

/** The returned function ends it. */
export function startProbing(
  { client, attempt, channels }: { client: Client; attempt: Attempt; channels: Channels },
  { everyMs, node, onDeaf }: ProbeOptions
): () => void {
  const probes = new Map<number, Probe>()

  async function begin(partition: number): Promise<void> {
    const probe: Probe = { leave: null, isOut: false, misses: 0 }
    probes.set(partition, probe)
    const arrived = () => {
      probe.isOut = false
      probe.misses = 0
    }
    try {
      probe.leave = await channels.listen(probeChannel(partition, node), { receive: arrived, gap: arrived })
    } catch {
      if (probes.get(partition) === probe) probes.delete(partition)
    }
  }

  async function publish(partition: number, probe: Probe): Promise<void> {
    probe.isOut = true
    try {
      await attempt(client => client.spublish(probeChannel(partition, node), ''))
    } catch {
      // A store that is away says nothing about the line.
      probe.isOut = false
    }
  }

  function check(partition: number, probe: Probe): void {
    probe.misses = probe.isOut ? probe.misses + 1 : 0
    if (probe.misses < MISSES_MAX) return void publish(partition, probe)
    probe.misses = 0
    probe.isOut = false
    onDeaf(partition)
    channels.rebuild(partition)
  }

  function tick(): void {
    const partitions = new Set(onePartitionEach(client).values())
    for (const [partition, probe] of probes) {
      if (partitions.has(partition)) continue
      probes.delete(partition)
      void probe.leave?.()
    }
    for (const partition of partitions) {
      const probe = probes.get(partition)
      if (!probe) void begin(partition)
      else if (probe.leave) check(partition, probe)
    }
  }

  tick()
  const timer = setInterval(tick, everyMs).unref()
  return () => clearInterval(timer)
}
