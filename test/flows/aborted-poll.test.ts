// A client that goes away while its poll is still being admitted.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { buildApp } from '../../src/app.js'
import { systemClock } from '../../src/clock.js'
import { loadConfig } from '../../src/config.js'
import { createMemoryStore } from '../../src/store/memory.js'
import { tokenOf } from '../helpers/servers.js'
import { until } from '../helpers/until.js'

t.test('a poll whose client left before it began does not wait', async t => {
  const config = loadConfig({ LOG_LEVEL: 'error' })
  const { retentionMs, mailboxMaxEvents, mailboxMaxBytes, maxDevicesPerUser } = config
  const real = createMemoryStore({
    retentionMs,
    mailboxMaxEvents,
    mailboxMaxBytes,
    maxDevicesPerUser,
    clock: systemClock
  })
  let asked = 0
  const slow = async (...args: Parameters<typeof real.quotas.take>) => {
    asked++
    await sleep(200)
    return real.quotas.take(...args)
  }
  const app = await buildApp(config, { store: { ...real, quotas: { ...real.quotas, take: slow } } })
  t.teardown(async () => {
    await app.close()
    await real.close()
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const headers = { authorization: `Bearer ${await tokenOf('ann')}` }
  const { cursor } = (await (await fetch(`${url}/v1/events/poll`, { headers })).json()) as { cursor: string }
  // A quota block is taken again in the next window.
  await sleep(1100)
  const before = asked
  const leaving = new AbortController()
  const poll = t.rejects(fetch(`${url}/v1/events/poll?cursor=${cursor}&wait=20`, { headers, signal: leaving.signal }))
  await until('the poll is being admitted', () => asked > before, 2000)
  leaving.abort()
  await poll
  await until('the poll has ended', () => asked > before && app.streams.count().poll === 0, 2000)
  await sleep(400)
  t.equal(app.streams.count().poll, 0, 'nothing waits for a client that has gone')
})
