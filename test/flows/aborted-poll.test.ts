// A client that disconnects while its poll is being admitted.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { buildApp } from '../../src/app.js'
import { systemClock } from '../../src/clock.js'
import { loadConfig } from '../../src/config.js'
import { createMemoryStore } from '../../src/store/memory.js'
import { tokenOf } from '../helpers/servers.js'
import { until } from '../helpers/until.js'

t.test('a poll whose client has disconnected before the poll begins does not wait', async t => {
  const config = loadConfig({ LOG_LEVEL: 'error' })
  const { retentionMs, mailboxMaxEvents, mailboxMaxBytes, maxDevicesPerUser } = config
  const real = createMemoryStore({
    retentionMs,
    mailboxMaxEvents,
    mailboxMaxBytes,
    maxDevicesPerUser,
    clock: systemClock
  })
  let taken = 0
  const slow = async (...args: Parameters<typeof real.counters.take>) => {
    taken++
    await sleep(200)
    return real.counters.take(...args)
  }
  const app = await buildApp(config, { store: { ...real, counters: { ...real.counters, take: slow } } })
  t.teardown(async () => {
    await app.close()
    await real.close()
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const headers = { authorization: `Bearer ${await tokenOf('ann')}` }
  const { cursor } = (await (await fetch(`${url}/v1/events/poll`, { headers })).json()) as { cursor: string }
  // In the next window the node takes a new slice of the budget.
  await sleep(1100)
  const before = taken
  const client = new AbortController()
  const poll = t.rejects(fetch(`${url}/v1/events/poll?cursor=${cursor}&wait=20`, { headers, signal: client.signal }))
  await until('the poll is being admitted', () => taken > before, 2000)
  client.abort()
  await poll
  await until('the poll has ended', () => taken > before && app.streams.count().poll === 0, 2000)
  await sleep(400)
  t.equal(app.streams.count().poll, 0, 'no poll waits')
})
