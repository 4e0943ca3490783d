// What a failover does to the keys of a Redis: it sets them back to an earlier state, here some keys by name.
import { Redis } from 'ioredis'

/** Remembers the keys that match; the returned function sets them back, also those that did not exist. */
export async function rememberKeys(url: string, pattern: string): Promise<() => Promise<void>> {
  const before = await withKeys(url, pattern, async (client, keys) => {
    const texts = await Promise.all(keys.map(key => client.dumpBuffer(key)))
    return new Map(keys.map((key, i) => [key, texts[i]]))
  })
  return () =>
    withKeys(url, pattern, async (client, keys) => {
      const lost = keys.filter(key => !before.has(key))
      // In one write: on a Cluster a transaction may not name keys of several slots.
      const restored = [...before].map(([key, text]) => text && client.restore(key, 0, text, 'REPLACE'))
      await Promise.all([...lost.map(key => client.del(key)), ...restored])
    })
}

/** The keys that match are gone. */
export const forgetKeys = (url: string, pattern: string): Promise<void> =>
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

/** The server keeps all it has, and begins another replication history, as one does that was promoted or restarted. */
export async function failOver(port: number): Promise<void> {
  const client = new Redis(port)
  try {
    await client.call('DEBUG', 'CHANGE-REPL-ID')
  } finally {
    client.disconnect()
  }
}
