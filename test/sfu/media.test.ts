// Real media through the media service of the examples: pictures arrive, with the payload types of the viewer, and what happens is pushed.
import t from 'tap'
import { openingOf, SessionUnderTest } from '../helpers/media-contract-cases.js'
import { startMediaExample } from '../helpers/media-example.js'
import { startMediaReceiver } from '../helpers/media-receiver.js'
import { until } from '../helpers/until.js'
import { publish, view } from './media-peer.js'

// @roamhq/wrtc 0.10 crashes if a process that had an audio source ends by itself.
process.once('beforeExit', () => process.exit())

t.test('a publisher and a viewer', async t => {
  const receiver = await startMediaReceiver(t)
  const { url, secret } = await startMediaExample(t, { SIGNALPOST_URLS: receiver.url })
  const session = new SessionUnderTest(t, { url, secret, hasMedia: true })
  await session.open(openingOf(session.roomId))
  const events = () => receiver.received.flatMap(({ body }) => body.events)
  const notices = () => receiver.received.flatMap(({ body }) => body.notices)
  const noticed = (type: string, members: object) =>
    until(`${type} ${JSON.stringify(members)} is pushed`, () =>
      notices().some(each => each.type === type && Object.entries(members).every(([key, value]) => each[key] === value))
    )

  const publisher = await publish(t, session, 'alice')
  const viewer = await view(t, session, 'alice')

  await t.test('pictures are decoded, through a router with the payload types of the viewer', async () => {
    await until('ten pictures are decoded', async () => (await viewer.framesDecoded()) >= 10)
  })

  await t.test('pictures stop while the consumer is paused, and go on at a key frame', async t => {
    const path = '/participants/viewer/consumers/video'
    await session.expect(200, 'PATCH', path, { paused: true })
    const { stats } = await session.expect(200, 'GET', `${path}/stats`)
    t.ok((stats as { packetCount: number }[])[0]?.packetCount)
    const before = await viewer.framesDecoded()
    await session.expect(200, 'PATCH', path, { paused: false })
    await until('more pictures are decoded', async () => (await viewer.framesDecoded()) >= before + 10)
  })

  await t.test('who speaks is noticed, and silence', async () => {
    publisher.speak(true)
    await noticed('active_speaker', { participantId: 'alice' })
    publisher.speak(false)
    await noticed('active_speaker', { participantId: null })
  })

  await t.test('scores are noticed', async () => {
    await noticed('score', { participantId: 'alice', producerId: 'camera', score: 10 })
  })

  await t.test('a publisher who closes the connection closes the producers', async t => {
    t.strictSame(events(), [])
    publisher.close()
    await until('three events are pushed', () => events().length >= 3)
    t.strictSame(events(), [
      { type: 'producer_closed', participantId: 'alice', producerId: 'camera' },
      { type: 'producer_closed', participantId: 'alice', producerId: 'microphone' },
      { type: 'transport_closed', participantId: 'alice', transportId: 'send', reason: 'closed' }
    ])
    await session.expect('not_found', 'GET', '/participants/viewer/consumers/video/stats')
  })
})
