// Connections of the C client that are cut at every byte of an event, of a request and of a reply, by FIN and by RST.
import t from 'tap'
import { sdp } from '../helpers/sdp.js'
import { tokenOf } from '../helpers/servers.js'
import { begin, startDevice, startScene, wholeOf } from './device.js'

for (const transport of ['stream', 'poll'] as const) {
  t.test(`an event that is cut at every byte arrives once, by ${transport}`, async t => {
    const { proxy, alice, variables } = await startScene(t)
    const device = startDevice(t, { port: proxy.port, transport, env: variables })
    t.match(await device.run('until snapshot'), { result: 'ok' })
    const offer = sdp('alice1')
    await alice.post('/calls', { callId: 'cut', to: 'bob', offer: { sdp: offer }, metadata: { text: 'ä😀"\\' } })
    let bytes = 0
    proxy.cutReply = { request: /\/v1\/events/, after: () => bytes++ }
    const outcome = await device.run('until call.incoming 1000')
    const [event] = wholeOf(outcome, 'call.incoming')
    t.equal(wholeOf(outcome, 'call.incoming').length, 1)
    t.equal(event?.text('data.offer.sdp'), offer)
    t.equal(event?.text('data.metadata.text'), 'ä😀"\\')
    t.equal(event?.text('data.from.user'), 'alice')
    t.ok(bytes > offer.length + 1000, `the reply was cut at ${bytes} places`)
    t.ok(outcome.events.filter(({ whole }) => !whole).length > offer.length, 'most cuts were within the event')
    proxy.cutReply = null
    await alice.post('/calls/cut/cancel')
    const after = await device.run('until call.ended')
    t.same(
      after.events.filter(({ type }) => type.startsWith('call.')).map(({ type }) => type),
      ['call.ended']
    )
  })
}

for (const part of ['cutReply', 'cutRequest'] as const) {
  t.test(`a call is made once although each byte of it was the last one (${part})`, async t => {
    const { proxy, variables, url } = await startScene(t)
    const carol = startDevice(t, { port: new URL(url).port, env: { TOKEN: await tokenOf('carol') } })
    await begin(t, carol)
    const device = startDevice(t, { port: proxy.port, env: variables })
    let bytes = 0
    proxy[part] = { request: /^POST \/v1\/calls /, after: () => bytes++ }
    let outcome = await device.run('call cut carol')
    while (outcome.result === 'retry') outcome = await device.run('call cut carol')
    t.match(outcome, { result: 'ok', events: [{ type: 'reply', whole: true }] })
    t.ok(bytes > 500, `it was cut ${bytes} times`)
    t.match(await device.run('act cut cancel'), { result: 'ok' })
    const { events } = await carol.run('until call.ended')
    t.same(
      events.map(({ type, whole }) => `${type} ${whole}`),
      ['call.incoming true', 'call.ended true']
    )
  })
}
