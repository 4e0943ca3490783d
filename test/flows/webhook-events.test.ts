// Which events the systems of the operator receive of calls, rooms and presence: each once, without network addresses.
import { join } from '../helpers/rooms.js'
import { flow, type Scenario } from '../helpers/scenario.js'
import { candidates, sdp } from '../helpers/sdp.js'
import { until } from '../helpers/until.js'
import type { WebhookEnvelope, WebhookReceiver } from '../helpers/webhook-receiver.js'
import { openReceiver } from '../helpers/webhooks.js'

const about = (scenario: Scenario, receiver: WebhookReceiver, member: string, name: string): WebhookEnvelope[] => {
  return receiver.events.map(({ event }) => event).filter(({ data }) => data[member] === scenario.toWire(name))
}

/** Waits until an event of this type has arrived, and returns all of them with the names of the test. */
async function receivedUntil(
  scenario: Scenario,
  receiver: WebhookReceiver,
  { member, name, type }: { member: string; name: string; type: string }
): Promise<WebhookEnvelope[]> {
  await until(`${type} has arrived`, () => about(scenario, receiver, member, name).some(each => each.type === type))
  return scenario.fromWire(about(scenario, receiver, member, name))
}

const typesOf = (events: readonly WebhookEnvelope[]) => events.map(({ type }) => type)

const all = await openReceiver()

flow(
  'each event of a call once, in order and without addresses, and its record after the end',
  async (t, scenario) => {
    all.receiver.now = () => scenario.now()
    const [alice, bob] = await scenario.addAliceAndBob()
    const tablet = await scenario.addClient('bob', 'tablet')
    const offer = { sdp: sdp('aliceA') }
    await alice.post('calls', { callId: 'c1', to: 'bob', offer, candidates: candidates(1, 'aliceA'), end: true })
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c1/ringing')
    await bob.post('calls/c1/accept', { answer: { sdp: sdp('bobA') }, candidates: candidates(1, 'bobA') })
    await tablet.expectEvents('call.incoming', 'call.ended')
    await alice.expectEvents('call.ringing', 'call.accepted')
    await bob.post('calls/c1/connected', { stats: { candidatePair: { local: 'host', remote: 'relay' }, rttMs: 12 } })
    await alice.post('calls/c1/connected', { stats: { rttMs: 14 } })
    await alice.expectEvent('call.connected')
    await alice.post('calls/c1/hangup')
    await bob.expectEvent('call.ended')
    const events = await receivedUntil(scenario, all.receiver, { member: 'callId', name: 'c1', type: 'call.record' })
    t.strictSame(typesOf(events), [
      ...['call.incoming', 'call.ringing', 'call.accepted', 'call.connected'],
      ...['call.ended', 'call.record']
    ])
    const [incoming, , accepted, , ended, record] = events
    for (const event of events)
      t.notMatch(JSON.stringify(event), /192\.0\.2\.1|ice-ufrag|"candidates"|"offer":|"answer":|"end":/)
    t.match(incoming?.data, { from: alice.endpoint, call: { state: 'ringing' }, version: 1 })
    t.match(accepted?.data, { by: bob.endpoint, call: { state: 'connecting' } })
    t.match(ended?.data, { reason: 'hangup', endedBy: alice.endpoint, call: { state: 'ended' } })
    t.match(record?.data, {
      caller: { ...alice.endpoint, candidateTypes: ['host'], stats: { rttMs: 14 } },
      callee: { ...bob.endpoint, candidateTypes: ['host'], stats: { candidatePair: { remote: 'relay' } } },
      ...{ reason: 'hangup', endedBy: alice.endpoint, offers: 1, missing: null, relay: true, blocked: false }
    })
  },
  { env: all.env }
)

flow(
  'the timeline says what webhooks did; the caller does not see those that ring the callee',
  async (t, scenario) => {
    all.receiver.now = () => scenario.now()
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await alice.post('calls/c1/cancel')
    await bob.expectEvent('call.ended')
    await receivedUntil(scenario, all.receiver, { member: 'callId', name: 'c1', type: 'call.record' })
    const notesOf = async (who: typeof bob) => {
      const { body } = await who.request('GET', 'calls/c1/timeline')
      const entries = body.entries as { type: string; event?: string; outcome?: string; attempt?: number }[]
      return entries
        .filter(({ type }) => type === 'webhook')
        .map(each => `${each.event} ${each.outcome} ${each.attempt}`)
    }
    const ofEnd = ['call.ended delivered 1', 'call.record delivered 1']
    await until('the notes are written', async () => {
      await scenario.advance(1000)
      return (await notesOf(bob)).length === 3
    })
    t.strictSame(await notesOf(bob), ['call.incoming delivered 1', ...ofEnd])
    t.strictSame(await notesOf(alice), ofEnd)
  },
  { env: all.env }
)

flow(
  'a call that was declined has a record, and a refused create has none',
  async (t, scenario) => {
    all.receiver.now = () => scenario.now()
    const [alice, bob] = await scenario.addAliceAndBob()
    const carol = await scenario.addClient('carol', 'tablet')
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    await carol.expectRefusal('callee_busy', 'calls', { callId: 'c2', to: 'bob' })
    await bob.post('calls/c1/reject')
    await alice.expectEvent('call.ended')
    const events = await receivedUntil(scenario, all.receiver, { member: 'callId', name: 'c1', type: 'call.record' })
    t.match(events.at(-1)?.data, { reason: 'declined', missing: 'no_offer', offers: 0, unconfirmed: false })
    t.strictSame(about(scenario, all.receiver, 'callId', 'c2'), [])
  },
  { env: all.env }
)

flow(
  'a blocked caller: no call.incoming, and the record says so',
  async (t, scenario) => {
    all.receiver.now = () => scenario.now()
    const [alice, bob] = await scenario.addAliceAndBob()
    await bob.request('PUT', `blocks/${scenario.toPath('alice')}`)
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await alice.post('calls/c1/cancel')
    const events = await receivedUntil(scenario, all.receiver, { member: 'callId', name: 'c1', type: 'call.record' })
    t.strictSame(typesOf(events), ['call.ended', 'call.record'])
    t.match(events[1]?.data, { reason: 'cancelled', blocked: true, callee: { user: 'bob', device: null } })
  },
  { env: { ...all.env, OFFLINE_CALLS: 'ring' } }
)

flow(
  'candidates that were passed on at once, resumes and changes of the node are in the record',
  async (t, scenario) => {
    all.receiver.now = () => scenario.now()
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.post('calls', { callId: 'c1', to: 'bob', offer: { sdp: sdp('aliceA') } })
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c1/accept', { answer: { sdp: sdp('bobA') } })
    await alice.expectEvent('call.accepted')
    await scenario.cluster.settle()
    await alice.post('calls/c1/candidates', { candidates: candidates(1, 'aliceA') })
    await bob.expectEvent('signal.candidates')
    await scenario.cluster.settle()
    await alice.closeStream()
    alice.useNode(scenario.lastNode)
    await alice.openStream()
    await scenario.cluster.settle()
    await bob.post('calls/c1/hangup')
    await alice.expectEvent('call.ended')
    const events = await receivedUntil(scenario, all.receiver, { member: 'callId', name: 'c1', type: 'call.record' })
    const nodeChanges = scenario.lastNode === 0 ? 0 : 1
    t.match(events.at(-1)?.data, {
      caller: { candidateTypes: ['host'], resumes: 1, nodeChanges },
      callee: { candidateTypes: [], resumes: 0, nodeChanges: 0 }
    })
  },
  { env: all.env }
)

flow(
  'each event of a room once, with its version',
  async (t, scenario) => {
    all.receiver.now = () => scenario.now()
    const [alice, bob] = await scenario.addAliceAndBob()
    const tablet = await scenario.addClient('bob', 'tablet')
    await join(alice, 'r1')
    const { id } = await join(bob, 'r1')
    await join(tablet, 'r1')
    await alice.post('rooms/r1/messages', { content: 'hello' })
    await alice.request('DELETE', `rooms/r1/participants/${id}?ban=true`)
    await alice.request('DELETE', 'rooms/r1')
    const events = await receivedUntil(scenario, all.receiver, { member: 'roomId', name: 'r1', type: 'room.closed' })
    t.strictSame(typesOf(events), [
      ...['room.participant_joined', 'room.participant_joined', 'room.participant_joined', 'chat.message'],
      ...['room.participant_left', 'room.participant_left', 'room.closed']
    ])
    const versions = events.map(({ data }) => Number(data.version))
    t.strictSame(
      versions,
      versions.toSorted((a, b) => a - b)
    )
    t.equal(versions[4], versions[5], 'one commit has removed both devices')
    await alice.expectEvents('room.participant_joined', 'room.participant_joined')
    await bob.expectEvents('room.participant_joined', 'room.joined', 'chat.message', 'room.participant_left')
    await tablet.expectEvents('room.joined', 'chat.message', 'room.participant_left')
  },
  { env: all.env }
)

flow(
  'the presence of a user whom no one watches',
  async (t, scenario) => {
    all.receiver.now = () => scenario.now()
    const dora = await scenario.addClient('dora', 'phone')
    const online = await receivedUntil(scenario, all.receiver, {
      member: 'user',
      name: 'dora',
      type: 'presence.changed'
    })
    t.match(online, [{ data: { user: 'dora', state: 'online' } }])
    await dora.post('calls', { callId: 'c1', to: 'eve' }).catch(() => undefined)
    await dora.closeStream()
    await until('dora is offline', async () => {
      await scenario.advance(1000)
      return about(scenario, all.receiver, 'user', 'dora').at(-1)?.data.state === 'offline'
    })
    const states = about(scenario, all.receiver, 'user', 'dora').map(({ data }) => data.state)
    t.strictSame(states, ['online', 'offline'])
  },
  { env: all.env }
)

const some = await openReceiver()
const filtered = { ...some.env, WEBHOOK_URLS: `${some.receiver.url}#call.ended` }

flow(
  'a destination receives the types of its filter only, and no one is followed for it',
  async (t, scenario) => {
    some.receiver.now = () => scenario.now()
    const [alice, bob] = await scenario.addAliceAndBob()
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    await bob.expectEvent('call.incoming')
    await alice.post('calls/c1/cancel')
    await bob.expectEvent('call.ended')
    const events = await receivedUntil(scenario, some.receiver, { member: 'callId', name: 'c1', type: 'call.ended' })
    await scenario.cluster.settle()
    t.strictSame(typesOf(events), ['call.ended'])
    t.equal(await scenario.store.aggregates.load({ kind: 'presence', id: scenario.toWire('alice') }), null)
  },
  { env: filtered }
)
