// Simulates the lost writes of a failover: sets keys back to an earlier state, or deletes them.
import { Redis } from 'ioredis'

/** Saves the keys that match. The returned function restores them, and deletes those that did not exist. */
export async function saveKeys(url: string, pattern: string): Promise<() => Promise<void>> {
  const before = await withKeys(url, pattern, async (client, keys) => {
    const texts = await Promise.all(keys.map(key => client.dumpBuffer(key)))
    return new Map(keys.map((key, i) => [key, texts[i]]))
  })
  return () =>
    withKeys(url, pattern, async (client, keys) => {
      const lost = keys.filter(key => !before.has(key))
      // No transaction: on a Cluster it may not have keys of several slots.
      const restored = [...before].map(([key, text]) => text && client.restore(key, 0, text, 'REPLACE'))
      await Promise.all([...lost.map(key => client.del(key)), ...restored])
    })
}

/** Deletes the keys that match. */
export const deleteKeys = (url: string, pattern: string): Promise<void> =>
  withKeys(url, pattern, async (client, keys) => {
    await Promise.all(keys.map(key => client.del(key)))
  })

async function withKeys<T>(
  url: string,
  pattern: string,
  use: (client: Redis, keys: string[]) => Promise<T>
): Promise<T> {
  const client = new Redis(url)
  try {
    return await use(client, await client.keys(pattern))
  } finally {
    client.disconnect()
  }
}

/** Gives the server a new replication id, as a promotion or a restart does. It keeps its data. */
export async function changeReplicationId(port: number): Promise<void> {
  const client = new Redis(port)
  try {
    await client.call('DEBUG', 'CHANGE-REPL-ID')
  } finally {
    client.disconnect()
  }
}
