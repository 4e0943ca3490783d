// Application messages of a call, and call.media_changed: from one node to the other, in order, once, charged.
import { flow, type Scenario } from '../helpers/scenario.js'
import type { TestClient } from '../helpers/test-client.js'

async function connect(scenario: Scenario): Promise<[alice: TestClient, bob: TestClient]> {
  const [alice, bob] = await scenario.addAliceAndBob()
  await alice.post('calls', { callId: 'c1', to: 'bob' })
  await bob.expectEvent('call.incoming')
  await bob.post('calls/c1/accept')
  await alice.expectEvent('call.accepted')
  return [alice, bob]
}

const send = (who: TestClient, content: string, more: object = {}) =>
  who.request('POST', 'calls/c1/messages', { content, ...more })

flow('all messages of a burst are accepted, and arrive in the order of their versions', async (t, scenario) => {
  const [alice, bob] = await connect(scenario)
  const contents = Array.from({ length: 100 }, (_, i) => `message ${i}`)
  const replies = await scenario.advanceDuring(Promise.all(contents.map(content => send(alice, content))))
  t.strictSame([...new Set(replies.map(({ status }) => status))], [201])
  const received: string[] = []
  for (const [i] of contents.entries()) {
    const { content, version } = await bob.expectEvent('call.message')
    t.equal(version, i + 3)
    received.push(content as string)
  }
  t.strictSame(received.sort(), contents.sort())
})

flow('messages arrive in the order of the events of the call', async (t, scenario) => {
  const [alice, bob] = await connect(scenario)
  t.match(await send(alice, 'one', { messageId: 'm1' }), {
    status: 201,
    body: { messageId: 'm1', version: 3, sentAt: /Z$/, delivery: { online: 1, queued: 0 } }
  })
  await alice.post('calls/c1/connected')
  await send(alice, 'two')
  await alice.post('calls/c1/media', { audio: false })
  t.match(await bob.expectEvent('call.message'), { from: alice.endpoint, messageId: 'm1', content: 'one', version: 3 })
  t.match(await bob.expectEvent('call.connected'), { version: 4 })
  t.match(await bob.expectEvent('call.message'), { content: 'two', version: 5 })
  t.match(await bob.expectEvent('call.media_changed'), { by: alice.endpoint, audio: false, video: null, version: 6 })
  t.match(await send(bob, 'three'), { status: 201 })
  t.match(await alice.expectEvent('call.message'), { from: bob.endpoint, content: 'three' })
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
  t.match(await send(bob, 'four'), { status: 409, body: { code: 'call_ended' } })
})

flow(
  'before the answer the caller reaches each device that rings, and each of them the caller',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const watch = await scenario.addClient('bob', 'watch')
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    for (const his of [bob, watch]) await his.expectEvent('call.incoming')
    t.match(await send(alice, 'at the front door'), { status: 201, body: { delivery: { online: 2, queued: 0 } } })
    for (const his of [bob, watch]) t.match(await his.expectEvent('call.message'), { content: 'at the front door' })
    await send(watch, 'unlock the door')
    t.match(await alice.expectEvent('call.message'), {
      from: { user: 'bob', device: null },
      content: 'unlock the door'
    })
    await bob.post('calls/c1/accept')
    await alice.expectEvent('call.accepted')
    await watch.expectEvent('call.ended')
    t.match(await send(watch, 'late'), { status: 409, body: { code: 'other_device' } })
    await alice.post('calls/c1/hangup')
    await bob.expectEvent('call.ended')
  }
)

flow('a retried message is not delivered again, on whichever node', async (t, scenario) => {
  const [alice, bob] = await connect(scenario)
  const first = await send(alice, 'once', { messageId: 'm1' })
  alice.useNode(scenario.lastNode)
  const again = await send(alice, 'once', { messageId: 'm1' })
  t.equal(again.status, 200)
  t.same(again.body, { ...first.body, delivery: { online: 0, queued: 0 } })
  const byKey = () => alice.request('POST', 'calls/c1/messages', { content: 'twice' }, { 'idempotency-key': 'k1' })
  const both = await Promise.all([byKey(), byKey()])
  t.same(both.map(({ status }) => status).sort(), [200, 201])
  t.equal(both[0]?.body.messageId, both[1]?.body.messageId)
  await bob.expectEvent('call.message')
  t.match(await bob.expectEvent('call.message'), { content: 'twice' })
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
  t.match(await send(alice, 'once', { messageId: 'm1' }), { status: 200, body: { version: 3 } }, 'also after the end')
})

flow('a message has at most 4 KiB as UTF-8', async (t, scenario) => {
  const [alice, bob] = await connect(scenario)
  t.match(await send(alice, 'ä'.repeat(2048)), { status: 201 })
  t.match(await send(alice, `${'ä'.repeat(2048)}x`), { status: 413, body: { code: 'too_large' } })
  t.match(await send(alice, ''), { status: 400, body: { code: 'invalid_request' } })
  t.match(await send(alice, 'x', { messageId: 'key~1' }), { status: 400 })
  t.match(await alice.request('POST', 'calls/c1/media', {}), { status: 400 })
  await bob.expectEvent('call.message')
  await alice.post('calls/c1/hangup')
  await bob.expectEvent('call.ended')
})

flow(
  'a message to devices that ring is charged for each of them',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    const others = [await scenario.addClient('bob', 'watch'), await scenario.addClient('bob', 'tv')]
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    for (const his of [bob, ...others]) await his.expectEvent('call.incoming')
    await scenario.advance(10_000)
    const content = 'x'.repeat(4000)
    t.match(await send(alice, content), { status: 201, body: { delivery: { online: 3 } } })
    t.match(await send(alice, content), { status: 429, body: { code: 'rate_limited' } })
    for (const his of [bob, ...others]) await his.expectEvent('call.message')
    await alice.post('calls/c1/cancel')
    for (const his of [bob, ...others]) await his.expectEvent('call.ended')
  },
  { env: { RATE_LIMIT_DELIVERIES: '15' } }
)

flow(
  'messages are charged by recipients and KiB, repeats are not',
  async (t, scenario) => {
    const [alice, bob] = await connect(scenario)
    await scenario.advance(10_000)
    const content = 'x'.repeat(4000)
    const ids = ['m1', 'm2', 'm3']
    for (const messageId of ids) t.match(await send(alice, content, { messageId }), { status: 201 })
    t.match(await send(alice, content, { messageId: 'm4' }), { status: 429, body: { code: 'rate_limited' } })
    for (const messageId of ids) t.match(await send(alice, content, { messageId }), { status: 200 })
    t.match(await send(bob, content), { status: 201 }, 'each user has their own budget')
    await scenario.advance(10_000)
    t.match(await send(alice, content, { messageId: 'm4' }), { status: 201 })
    await alice.expectEvent('call.message')
    for (const _ of [...ids, 'm4']) await bob.expectEvent('call.message')
    await alice.post('calls/c1/hangup')
    await bob.expectEvent('call.ended')
  },
  { env: { RATE_LIMIT_DELIVERIES: '15' } }
)

flow(
  'a caller whom the callee blocks sends messages to no device',
  async (t, scenario) => {
    const [alice, bob] = await scenario.addAliceAndBob()
    await bob.request('PUT', `blocks/${scenario.toPath('alice')}`)
    await alice.post('calls', { callId: 'c1', to: 'bob' })
    t.match(await send(alice, 'hello'), { status: 201, body: { delivery: { online: 0, queued: 0 } } })
    t.match(await send(bob, 'hello'), { status: 404 })
    await alice.post('calls/c1/cancel')
  },
  { env: { OFFLINE_CALLS: 'ring' } }
)
