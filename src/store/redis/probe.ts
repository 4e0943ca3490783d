// Finds subscriber connections that are open but receive nothing: a probe is published at regular intervals to a channel of each. After
// two missed probes in a row the connection is replaced and its listeners get gap(). A single miss may be a stall of this process, whose
// timers fire before its sockets are read. Runs on real time, also when a test moves the store's clock by hand.
import type { Channels } from './channels.js'
import type { Client, RunCommand } from './clients.js'
import { probeChannel } from './keys.js'
import { onePartitionEach } from './topology.js'

const MISSES_MAX = 2

interface Probe {
  /** Null until the channel is subscribed. */
  leave: (() => Promise<void>) | null
  /** The last probe was published and has not been received. */
  isOut: boolean
  misses: number
}

export interface ProbeOptions {
  /** A dead connection is replaced after at most three intervals: one until the next probe, and two missed probes. */
  readonly everyMs: number
  /** Separates the probes of this process from those of others. */
  readonly node: string
  readonly onDead: (partition: number) => void
}

/** The returned function ends it. */
export function startProbing(
  { client, runCommand, channels }: { client: Client; runCommand: RunCommand; channels: Channels },
  { everyMs, node, onDead }: ProbeOptions
): () => void {
  const probes = new Map<number, Probe>()

  async function begin(partition: number): Promise<void> {
    const probe: Probe = { leave: null, isOut: false, misses: 0 }
    probes.set(partition, probe)
    const received = () => {
      probe.isOut = false
      probe.misses = 0
    }
    try {
      probe.leave = await channels.listen(probeChannel(partition, node), { receive: received, gap: received })
    } catch {
      if (probes.get(partition) === probe) probes.delete(partition)
    }
  }

  async function publish(partition: number, probe: Probe): Promise<void> {
    probe.isOut = true
    try {
      await runCommand(client => client.spublish(probeChannel(partition, node), ''))
    } catch {
      // While the store is unavailable nothing is known about the subscriber connection.
      probe.isOut = false
    }
  }

  function check(partition: number, probe: Probe): void {
    probe.misses = probe.isOut ? probe.misses + 1 : 0
    if (probe.misses < MISSES_MAX) return void publish(partition, probe)
    probe.misses = 0
    probe.isOut = false
    onDead(partition)
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
