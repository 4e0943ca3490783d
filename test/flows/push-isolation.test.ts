// A user whose push service is down does not keep others asleep.
import { createWebPushSubscription, PUSH_KEY } from '../helpers/push.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { until } from '../helpers/until.js'
import { openReceiver } from '../helpers/webhooks.js'

const { receiver, env: webhooks } = await openReceiver()
const env = { ...webhooks, WEBHOOK_URLS: `${receiver.url}#push`, PUSH_KEY }

/** The users about whom the receiver got a push. */
const attempted = (scenario: Scenario) =>
  receiver.attempts.map(({ event }) => scenario.fromWire(event.data)).map(({ user }) => user)

async function addSleepingUser(scenario: Scenario, user: string): Promise<void> {
  const phone = await scenario.addClient(user, 'phone', { silent: true })
  const { subscription } = createWebPushSubscription('https://push.example.com/v1')
  const { status } = await phone.request('PUT', 'devices/phone/push', subscription)
  if (status !== 204) throw new Error(`${status}`)
}

flow(
  'a user is woken when the push services of many others are down',
  async (t, scenario) => {
    receiver.now = () => scenario.now()
    receiver.attempts.length = 0
    receiver.behaviour = ({ data }) => (scenario.fromWire(data).user === 'bob' ? {} : { status: 503, retryAfter: '2' })
    await addSleepingUser(scenario, 'bob')
    for (let n = 1; n <= 8; n++) {
      await addSleepingUser(scenario, `eve${n}`)
      const caller = await scenario.addClient(`caller${n}`, 'laptop', { silent: true })
      await caller.post('calls', { callId: `c${n}`, to: `eve${n}` })
    }
    await until('the others have failed', () => attempted(scenario).length === 8)
    await scenario.cluster.settle()
    const alice = await scenario.addClient('alice', 'laptop', { silent: true })
    await alice.post('calls', { callId: 'c0', to: 'bob' })
    await until('bob is woken', () => attempted(scenario).includes('bob'))
    t.equal(attempted(scenario).length, 9, 'none has been tried again yet')
    await until('those of the others are tried again while their calls ring', async () => {
      await scenario.advance(500)
      return attempted(scenario).length > 16
    })
  },
  { env }
)
