// Whole servers that listen: nodes of this process on one engine, and tokens for them. They are closed after the test.
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { startRedis } from './redis.js'

export interface Server {
  readonly url: string
  readonly app: FastifyInstance
}

/** With `memory` there is one node. */
export type Layout = { readonly engine: 'memory' } | { readonly engine: 'redis'; readonly nodes: number }

export const LAYOUTS: readonly Layout[] = [{ engine: 'memory' }, { engine: 'redis', nodes: 2 }]

export const nameOf = (layout: Layout) =>
  layout.engine === 'memory' ? 'one node in memory' : `${layout.nodes} nodes on Redis`

export async function startServers(t: Test, layout: Layout, env: Record<string, string> = {}): Promise<Server[]> {
  const redis = layout.engine === 'redis' ? await startRedis() : null
  const config = loadConfig({ LOG_LEVEL: 'error', ...env, ...(redis ? { REDIS_URL: redis.url } : {}) })
  const apps: FastifyInstance[] = []
  t.teardown(async () => {
    await Promise.all(apps.map(app => app.close()))
    await redis?.stop()
  })
  const servers: Server[] = []
  for (let node = 0; node < (layout.engine === 'redis' ? layout.nodes : 1); node++) {
    const app = await buildApp(config)
    apps.push(app)
    servers.push({ app, url: await app.listen({ host: '127.0.0.1', port: 0 }) })
  }
  return servers
}

/** A token for servers in development mode. */
export const tokenOf = (user: string) => createToken(loadConfig({}), { user })
