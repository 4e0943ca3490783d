// What a node concludes from failures of a webhook destination.
import t from 'tap'
import { Destination } from '../../src/services/webhooks/destinations.js'

const create = () => new Destination({ id: 'd', url: 'https://example.com/', types: new Set() }, [])

t.test('one queue that fails again and again leaves the destination up, five queues pause it', async t => {
  const destination = create()
  for (let n = 0; n < 100; n++) destination.failed('call/a', false, 0)
  t.equal(destination.health.probeAt, null)
  for (const queue of ['call/b', 'call/c', 'call/d']) destination.failed(queue, false, 0)
  t.equal(destination.health.probeAt, null)
  destination.failed('call/e', false, 0)
  t.not(destination.health.probeAt, null)
})

t.test('a success forgets the failures before it', async t => {
  const destination = create()
  for (const queue of ['a', 'b', 'c', 'd']) destination.failed(queue, false, 0)
  destination.succeeded()
  for (const queue of ['a', 'b', 'c', 'd']) destination.failed(queue, false, 0)
  t.equal(destination.health.probeAt, null)
  destination.failed('e', false, 0)
  t.not(destination.health.probeAt, null)
})

t.test('failures are logged at most once a minute', async t => {
  const destination = create()
  t.strictSame(
    [0, 1, 59_999, 60_000, 60_001, 120_000].map(now => destination.shouldWarn(now)),
    [true, false, false, true, false, true]
  )
})
