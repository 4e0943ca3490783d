// Signalpost and the media service of the examples together, on a real mediasoup worker.
import t from 'tap'
import { startMediaExample } from '../helpers/media-example.js'
import { allUp, nodesOf } from '../helpers/media-fixture.js'
import { startMediaRelay } from '../helpers/media-relay.js'
import { DTLS } from '../helpers/rtp-fixture.js'
import { flow } from '../helpers/scenario.js'
import { meetInSfu, rtpParameters } from '../helpers/sfu.js'

const microphone = { rtpParameters: { ...rtpParameters('audio'), mid: '1' } }

async function runFlows(): Promise<void> {
  const relay = await startMediaRelay(t)
  const { url, secret, workers } = await startMediaExample(t, { SIGNALPOST_URLS: relay.url, ICE_TIMEOUT_MS: '300' })
  const env = { MEDIA_SERVICE_URLS: url, MEDIA_SERVICE_SECRET: secret, MEDIA_SERVICE_TIMEOUT_MS: '5000' }
  const withMedia: typeof flow = (name, run) =>
    flow(
      name,
      async (t, scenario) => {
        relay.nodes = nodesOf(scenario)
        await allUp(scenario, 1)
        await run(t, scenario)
      },
      { env }
    )

  withMedia('what is sent is received, changed and closed', async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    t.match(await alice.produce('camera'), { status: 201, body: { producer: { type: 'simple' } } })
    t.match(await alice.produce('microphone', 'audio', microphone), { status: 201 })
    t.equal((await alice.produceData('chat')).status, 201)
    const consumed = await bob.consume('c1', alice, 'camera')
    t.match(consumed, { status: 201, body: { consumer: { kind: 'video', paused: true } } })
    t.match(await bob.request('POST', 'consumers/c1/resume'), { status: 200, body: { paused: false } })
    t.match(await bob.request('PATCH', 'consumers/c1', { priority: 3 }), { status: 200, body: { priority: 3 } })
    t.equal((await bob.request('POST', 'consumers/c1/request-key-frame')).status, 204)
    t.equal((await bob.consumeData('d1', alice, 'chat')).status, 201)
    for (const path of ['transports/receive', 'consumers/c1', 'data-consumers/d1'])
      t.equal((await bob.request('GET', `${path}/stats`)).status, 200, path)
    t.match(await alice.pause('camera'), { status: 200, body: { producer: { paused: true } } })
    t.equal((await alice.request('POST', 'transports/send/restart-ice')).status, 200)
    t.match(await bob.consume('c2', alice, 'camera', { rtpCapabilities: {} }), { body: { code: 'cannot_consume' } })
    t.match(await alice.produce('x', 'audio', microphone), { body: { code: 'invalid_media_parameters' } })
    t.equal((await alice.request('DELETE', 'producers/camera')).status, 204)
    t.match(await bob.request('POST', 'consumers/c1/resume'), { body: { code: 'media_not_found' } })
    const added = ['sfu.producer_added', 'sfu.producer_added', 'sfu.data_producer_added']
    await bob.who.expectEvents(...added, 'sfu.producer_paused', 'sfu.producer_closed')
  })

  withMedia('who cannot be reached any more is announced', async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    await alice.produce('camera')
    await bob.who.expectEvent('sfu.producer_added')
    t.equal((await alice.request('POST', 'transports/send/connect', { dtlsParameters: DTLS })).status, 204)
    for (const { who } of [alice, bob]) t.match(await who.expectEvent('sfu.producer_closed'), { producerId: 'camera' })
    t.match(await alice.who.expectEvent('sfu.transport_closed'), { transportId: 'send', reason: 'ice_failed' })
    t.strictSame(await bob.sent(), [])
  })

  withMedia('when the worker dies all learn it, and begin anew', async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    await alice.produce('camera')
    await bob.who.expectEvent('sfu.producer_added')
    process.kill(workers().at(-1) ?? 0, 'SIGKILL')
    // The clock stands still: otherwise a check of the room may find the loss before the push arrives.
    const resets = await Promise.all([alice, bob].map(({ who }) => who.expectEvent('sfu.reset')))
    for (const reset of resets) t.match(reset, { reason: 'worker_died' })
    for (const client of [alice, bob]) await scenario.advanceDuring(client.openTransports())
    t.match(await alice.produce('camera'), { status: 201 })
    await bob.who.expectEvent('sfu.producer_added')
    t.match(await bob.consume('c1', alice, 'camera'), { status: 201 })
  })
}

await runFlows()
