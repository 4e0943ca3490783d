// A device that starts with a snapshot misses nothing: the cursor continues from the state, and has the offers of calls that ring.
import { flow, type Scenario } from '../helpers/scenario.js'
import { sdp } from '../helpers/sdp.js'
import type { ReceivedEvent, TestClient } from '../helpers/test-client.js'

/** The events from the cursor of a snapshot on. */
async function continued(scenario: Scenario, who: TestClient): Promise<ReceivedEvent[]> {
  await scenario.cluster.settle()
  const { body } = await who.request('GET', 'snapshot')
  const reply = await who.request('GET', `events/poll?limit=100&wait=0&cursor=${body.cursor}`)
  return reply.body.events as ReceivedEvent[]
}

const summary = (events: readonly ReceivedEvent[]) =>
  events.map(({ type, data }) => `${type} ${data.callId ?? ''}`.trim())

/** All that a test has received, for the check of the mailboxes at its end. */
const drain = async (...all: readonly TestClient[]) => {
  for (const each of all) while ((await each.poll()).length === 100);
}

flow('the cursor of a snapshot lies before the call.incoming of a call that rings', async (t, scenario) => {
  const [alice, bob] = [await scenario.addClient('alice', 'phone'), await scenario.addClient('bob', 'laptop')]
  t.strictSame(await continued(scenario, bob), [], 'no call rings')

  await alice.post('calls', { callId: 'first', to: 'bob', offer: { sdp: sdp('aliceA') } })
  t.match(await continued(scenario, bob), [{ type: 'call.incoming', data: { offer: { sdp: sdp('aliceA') } } }])
  t.strictSame(summary(await continued(scenario, alice)), [], 'the caller')
  await bob.post('calls/first/accept', { answer: { sdp: sdp('bobA') } })
  t.strictSame(summary(await continued(scenario, bob)), [], 'the call no longer rings')
  await alice.post('calls/first/hangup')

  await alice.post('calls', { callId: 'second', to: 'bob', offer: { sdp: sdp('aliceB') } })
  t.strictSame(summary(await continued(scenario, bob)), ['call.incoming second'], 'older events are not repeated')
  await alice.post('calls/second/cancel')
  await scenario.cluster.settle()
  await drain(alice, bob)
})

flow(
  'an offer is found behind many events',
  async (t, scenario) => {
    const [alice, bob] = [await scenario.addClient('alice', 'phone'), await scenario.addClient('bob', 'laptop')]
    const chat = async (times: number) => {
      for (let i = 0; i < times; i++) await alice.post('rooms/r1/messages', { content: String(i) })
    }
    for (const each of [alice, bob]) await each.post('rooms/r1/participants')
    await chat(150)
    await alice.post('calls', { callId: 'c1', to: 'bob', offer: { sdp: sdp('aliceA') } })
    await chat(5)
    const events = await continued(scenario, bob)
    t.strictSame(summary(events).slice(0, 2), ['call.incoming c1', 'chat.message'])
    t.equal(events.length, 6)
    await alice.post('calls/c1/cancel')
    await scenario.cluster.settle()
    await drain(alice, bob)
  },
  { env: { RATE_LIMIT_SIGNALS: '1000' } }
)
