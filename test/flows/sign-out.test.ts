// An operator signs a user or a device out: what it has ends on every node, and nothing comes back with the tokens that it had.
import { FCM, PUSH_KEY } from '../helpers/push.js'
import { flow } from '../helpers/scenario.js'
import { operate, Session, WITH_ADMIN } from '../helpers/sessions.js'
import { openSse } from '../helpers/sse.js'
import { until } from '../helpers/until.js'

const env = { ...WITH_ADMIN, PUSH_KEY }

flow(
  'a sign-out of the user ends streams, polls, tickets and tokens on every node',
  async (t, scenario) => {
    const last = scenario.lastNode
    const phone = await Session.open(scenario, ['alice', 'phone'])
    const tv = await Session.open(scenario, ['alice', 'tv'])
    const watch = await Session.open(scenario, ['alice', 'watch'])
    const bob = await Session.open(scenario, ['bob', 'phone'])
    const tickets = [await phone.ticket(0), await tv.ticket(last)]
    const streams = [await phone.stream(0), await tv.stream(last)]
    const ofBob = await bob.stream(last)
    const { body: first } = await watch.request(last, 'events/poll')
    const poll = watch.request(last, `events/poll?cursor=${first.cursor}&wait=25`)
    await until('the poll waits', () => scenario.cluster.waitingPolls() === 1)
    await scenario.cluster.settle()
    for (const node of [0, last]) t.equal(await phone.outcome(node), '200', 'the token is cached')

    t.match(await operate(scenario, ['POST', '/all-devices/sign-out']), {
      status: 200,
      body: { revocation: { device: null } }
    })
    for (const stream of streams) t.match(await stream.next(), { type: 'end', data: { reason: 'signed_out' } })
    t.match(await poll, { status: 401, body: { code: 'token_revoked' } })
    for (const node of [0, last]) {
      for (const session of [phone, tv, watch]) {
        t.equal(await session.outcome(node), '401 token_revoked')
        t.equal(await session.outcome(node, 'events/poll'), '401 token_revoked')
        t.equal((await openSse(`${scenario.urlOf(node)}/v1/events`, { headers: session.headers })).status, 401)
      }
      for (const ticket of tickets)
        t.equal((await openSse(`${scenario.urlOf(node)}/v1/events?ticket=${ticket}`)).status, 401)
      t.equal(await bob.outcome(node), '200')
    }
    t.match(await operate(scenario, ['GET', '']), { body: { devices: [], revocations: [{ kind: 'sign_out' }] } })
    t.strictSame(ofBob.waiting(), [])
    await ofBob.close()

    const inTheSameSecond = await Session.open(scenario, ['alice', 'phone'])
    t.equal(await inTheSameSecond.outcome(0), '401 token_revoked')
    scenario.cluster.clock.skip(1_000)
    const again = await Session.open(scenario, ['alice', 'phone'])
    for (const node of [0, last]) t.equal(await again.outcome(node), '200')
    await (await again.stream(last)).close()
    for (const node of [0, last]) t.equal(await phone.outcome(node), '401 token_revoked', 'the old one stays refused')
  },
  { env }
)

flow(
  'a sign-out of a device leaves the other devices, and a ticket that is made meanwhile is refused',
  async (t, scenario) => {
    const last = scenario.lastNode
    const phone = await Session.open(scenario, ['alice', 'phone'])
    const tv = await Session.open(scenario, ['alice', 'tv'])
    const [ofPhone, ofTv] = [await phone.stream(last), await tv.stream(last)]
    t.match(await operate(scenario, ['POST', '/devices/phone/sign-out'], { node: last }), {
      status: 200,
      body: { revocation: { device: 'phone', kind: 'sign_out' } }
    })
    t.match(await ofPhone.next(), { data: { reason: 'signed_out' } })
    for (const node of [0, last]) {
      t.equal(await phone.outcome(node), '401 token_revoked')
      t.equal(await tv.outcome(node), '200')
    }
    // As by a request that was authenticated before the revocation and is carried out after it.
    const value = JSON.stringify({ device: 'phone', expiresAt: null, issuedAt: scenario.now() - 1 })
    const secret = 'a-secret-of-a-late-ticket'
    const user = scenario.toWire('alice')
    await scenario.store.tickets.put(user, { id: secret, device: 'phone', value, ttlMs: 60_000 })
    const ticket = `${Buffer.from(user).toString('base64url')}.${secret}`
    for (const node of [0, last])
      t.match(await tv.outcome(node, `events/poll?ticket=${ticket}`), /^200$/, 'a header comes before a ticket')
    const refused = await fetch(`${scenario.urlOf(last)}/v1/events/poll?ticket=${ticket}`)
    t.match(await refused.json(), { status: 401, code: 'token_revoked' })
    t.strictSame(
      ofTv.waiting().filter(({ type }) => type !== 'end'),
      []
    )
    await ofTv.close()
  },
  { env }
)

flow(
  'a signed-out device leaves its calls and rooms, and loses its mailbox and push subscription',
  async (t, scenario) => {
    const bob = await scenario.addClient('bob', 'laptop', { node: scenario.lastNode })
    const phone = await Session.open(scenario, ['alice', 'phone'])
    const tablet = await Session.open(scenario, ['alice', 'tablet'])
    const stream = await phone.stream(0)
    for (const [device, session] of [
      ['phone', phone],
      ['tablet', tablet]
    ] as const)
      t.equal((await session.request(0, `devices/${device}/push`, { method: 'PUT', body: FCM })).status, 204)
    await bob.post('rooms/r1/participants', {})
    const join = { method: 'POST', body: {} }
    t.equal((await phone.request(0, `rooms/${scenario.toPath('r1')}/participants`, join)).status, 201)
    await bob.expectEvent('room.participant_joined')
    const call = { callId: scenario.toWire('c1'), to: scenario.toWire('bob') }
    t.equal((await phone.request(0, 'calls', { method: 'POST', body: call })).status, 201)
    await bob.expectEvent('call.incoming')
    await bob.post('calls/c1/accept')
    t.match((await operate(scenario, ['GET', ''])).body, {
      presence: { state: 'busy' },
      devices: [{ device: 'phone', online: true, node: /^[\w-]{6}$/ }],
      calls: [{ callId: call.callId }],
      rooms: [{ roomId: scenario.toWire('r1'), device: 'phone' }],
      revocations: []
    })

    t.equal((await operate(scenario, ['POST', '/devices/phone/sign-out'])).status, 200)
    await stream.next('end')
    const events = [await bob.expectAny(), await bob.expectAny()]
    const ended = events.find(({ type }) => type === 'call.ended')
    t.match(ended?.data, { reason: 'hangup', endedBy: { user: 'alice', device: 'phone' } })
    t.match(events.find(({ type }) => type === 'room.participant_left')?.data, { reason: 'left', user: 'alice' })
    t.match((await operate(scenario, ['GET', ''], { node: scenario.lastNode })).body, {
      presence: { state: 'offline' },
      devices: [],
      calls: [],
      rooms: [],
      revocations: [{ device: 'phone' }]
    })
    const subscriptions = await scenario.store.pushSubscriptions.list(scenario.toWire('alice'), scenario.now())
    t.strictSame([...subscriptions.keys()], ['tablet'])
    const { body: room } = await bob.request('GET', 'rooms/r1')
    t.strictSame(
      (room.participants as { user: string }[]).map(({ user }) => user),
      ['bob']
    )
  },
  { env }
)
