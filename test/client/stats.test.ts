// What clients report of their connections stands in the call record of the operator.
import t from 'tap'
import { reportStats } from '../../packages/client/src/stats.js'
import { until } from '../helpers/until.js'
import { secretOf, WebhookReceiver } from '../helpers/webhook-receiver.js'
import { connected } from './call-rules.js'
import { startPeople } from './people.js'

t.test('both sides report candidate pair and round-trip time until the call ends', async t => {
  const receiver = await WebhookReceiver.open(secretOf(1))
  t.teardown(() => receiver.close())
  const env = { WEBHOOK_URLS: receiver.url, WEBHOOK_SECRETS: secretOf(1), WEBHOOK_ALLOW_PRIVATE: 'true' }
  const connect = await startPeople(t, { engine: 'memory' }, env)
  const { alice, bob, call, answered } = await connected(connect)
  const reports = [0, 0]
  for (const [side, [client, each]] of [[alice, call] as const, [bob, answered] as const].entries()) {
    const request = async (...args: Parameters<typeof client.request>) => {
      const reply = await client.request(...args)
      reports[side] = (reports[side] ?? 0) + 1
      return reply
    }
    reportStats({ request } as Pick<typeof client, 'request'>, each, { firstMs: 10, againMs: 50 })
  }
  await until('both have reported more than once', () => reports.every(count => count > 1))
  await call.hangup()
  await until('the record has come', () => receiver.events.some(({ event }) => event.type === 'call.record'))
  const { data } = receiver.events.find(({ event }) => event.type === 'call.record')?.event ?? {}
  const stats = { candidatePair: { local: 'host', remote: 'host' }, protocol: 'udp' }
  t.match(data, { reason: 'hangup', caller: { stats }, callee: { stats } })
  const { caller, callee } = data as { [side in 'caller' | 'callee']: { stats: { rttMs: number } } }
  for (const side of [caller, callee]) t.ok(side.stats.rttMs >= 0 && side.stats.rttMs < 10_000)
})
