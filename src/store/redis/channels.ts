// Sharded pub/sub: who listens to which channel, kept true through lost connections, failovers and slots that move. One rule
// does it all: whenever something changes, subscribe what should be heard and is not; who was heard before is told of the gap.
import type { FastifyBaseLogger } from 'fastify'
import type { Client } from './clients.js'
import { toFault, unavailable } from './faults.js'
import { partitionIn } from './keys.js'
import { createLines, type Line } from './subscriber-connections.js'

export interface Listener {
  receive(text: string): void
  /** Messages may have been lost until now. */
  gap(): void
}

export interface Channels {
  /** Resolves once Redis has confirmed. A listener listens once. @throws AppError store_unavailable */
  listen(name: string, listener: Listener): Promise<() => Promise<void>>
  /** Tells whoever listens to a channel of these partitions that something may have been missed. */
  announceGap(partitions: ReadonlySet<number>): void
  /** Everything heard over the same connection as this partition is heard over a new one. */
  rebuild(partition: number): void
  close(): Promise<void>
}

interface Channel {
  readonly name: string
  /** Replaced, never changed: one may leave while all are told. Nearly always there is one, and a set is six times its size. */
  listeners: readonly Listener[]
  hearing: Promise<void> | null
  /** Has been confirmed at least once: from then on, hearing it anew means that there was a gap. */
  wasHeard: boolean
}

/** Real time: a backstop for changes that no event announced. */
const LOOK_EVERY_MS = 1_000

export function createChannels(client: Client, log: FastifyBaseLogger): Channels {
  const channels = new Map<string, Channel>()
  const lines = createLines(client, { onMessage, onChange: look }, log)

  function onMessage(name: string, text: string): void {
    for (const listener of channels.get(name)?.listeners ?? []) listener.receive(text)
  }

  /** Subscribes what should be heard and is not. */
  function look(): void {
    lines.prune()
    for (const channel of channels.values()) {
      const line = lines.of(partitionIn(channel.name))
      if (line?.redis.status !== 'ready' || line.heard.has(channel.name)) continue
      hear(line, channel).catch(error => log.debug({ err: toFault(error) }, 'not subscribed yet'))
    }
  }

  function hear(line: Line, channel: Channel): Promise<void> {
    channel.hearing ??= subscribe(line, channel).finally(() => {
      channel.hearing = null
    })
    return channel.hearing
  }

  async function subscribe(line: Line, channel: Channel): Promise<void> {
    await line.subscribe(channel.name)
    if (channels.get(channel.name) !== channel) {
      // Its last listener may have left before it was sent.
      if (!channels.has(channel.name)) await line.redis.sunsubscribe(channel.name)
      return
    }
    line.heard.add(channel.name)
    if (channel.wasHeard) for (const listener of channel.listeners) listener.gap()
    channel.wasHeard = true
  }

  async function ensureHeard(channel: Channel): Promise<void> {
    const line = lines.of(partitionIn(channel.name))
    if (client.status !== 'ready' || !line) throw unavailable(new Error('there is no connection to listen on'))
    await line.opened
    if (line.heard.has(channel.name)) return
    try {
      await hear(line, channel)
    } catch (error) {
      throw toFault(error)
    }
  }

  async function leave(channel: Channel, listener: Listener): Promise<void> {
    if (!channel.listeners.includes(listener)) return
    channel.listeners = channel.listeners.filter(other => other !== listener)
    if (channel.listeners.length > 0) return
    channels.delete(channel.name)
    const line = lines.of(partitionIn(channel.name))
    line?.heard.delete(channel.name)
    // Without a connection there is nothing to unsubscribe from.
    if (line?.redis.status === 'ready') await line.redis.sunsubscribe(channel.name).catch(() => {})
  }

  const timer = setInterval(look, LOOK_EVERY_MS).unref()
  client.on('refresh', look)
  return {
    async listen(name, listener) {
      const channel = channels.get(name) ?? { name, listeners: [], hearing: null, wasHeard: false }
      channels.set(name, channel)
      channel.listeners = channel.listeners.concat(listener)
      try {
        await ensureHeard(channel)
      } catch (error) {
        await leave(channel, listener)
        throw error
      }
      return () => leave(channel, listener)
    },
    announceGap(partitions) {
      for (const { name, listeners } of channels.values()) {
        if (partitions.has(partitionIn(name))) for (const listener of listeners) listener.gap()
      }
    },
    rebuild(partition) {
      lines.drop(partition)
      look()
    },
    async close() {
      clearInterval(timer)
      client.off('refresh', look)
      channels.clear()
      await lines.close()
    }
  }
}
