// The store engines that the delivery tests run on.
import { Redis } from 'ioredis'
import type { Clock } from '../../src/clock.js'
import { createMemoryStore } from '../../src/store/memory.js'
import type { Store, StoreOptions } from '../../src/store/store.js'
import { openRedisStore } from '../helpers/store.js'

export interface Engine {
  readonly name: string
  create(clock: Clock, options: StoreOptions): Promise<Store>
}

export const memory: Engine = {
  name: 'memory',
  create: async (clock, options) => createMemoryStore({ ...options, clock })
}

export const redis = (url: string): Engine => ({
  name: 'redis',
  async create(clock, options) {
    // Before the store opens: it would write the revocations of the last test again.
    const client = new Redis(url)
    await client.flushall()
    client.disconnect()
    return openRedisStore(url, clock, options)
  }
})
