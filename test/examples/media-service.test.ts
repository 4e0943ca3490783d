// The parts of examples/media-service that need no mediasoup. test/sfu tests it as a whole.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { readView } from '../../src/domain/whip/view.js'
import { VIEWING_OFFERS } from '../corpus/whip/all.js'
import { type MediaReceiver, startMediaReceiver } from '../helpers/media-receiver.js'
import { VIEWER } from '../helpers/rtp-fixture.js'
import { until } from '../helpers/until.js'

const load = (name: string) => import(new URL(`../../examples/media-service/${name}.js`, import.meta.url).href)

interface Codec {
  readonly kind: string
  readonly mimeType: string
  readonly preferredPayloadType?: number
  readonly parameters?: object
}

t.test('a list of codecs with the payload types of a viewer is one that mediasoup takes', async t => {
  const { codecsNamed, exactCodecs } = await load('codecs')
  const names = ['opus', 'vp8', 'vp9', 'h264', 'av1']
  const supported = ['audio/opus', 'video/VP8', 'video/VP9', 'video/H264'].map(mimeType => ({ mimeType }))
  const codecs: Codec[] = codecsNamed(names, { codecs: supported })
  t.strictSame(
    codecs.map(({ mimeType }) => mimeType),
    ['audio/opus', 'video/VP8', 'video/VP9', 'video/H264', 'video/H264', 'video/H264']
  )
  t.throws(() => codecsNamed(['mp3'], { codecs: [] }), /mp3/)

  const typesOf = (list: Codec[]) => list.map(each => each.preferredPayloadType)
  // VP9 first: it has 100, which RTX of any other codec would take.
  t.strictSame(typesOf(withoutFillers(exactCodecs(VIEWER, codecs))), [109, 100, 126, 120])
  t.equal(rtxTypes(exactCodecs(VIEWER, codecs))?.get(120), 124)
  const dynamic = Array.from({ length: 32 }, (_, index) => 96 + index)
  for (let first = 0; first < dynamic.length; first++) {
    const viewer = codecs.map((codec, index) => ({ ...codec, preferredPayloadType: dynamic[(first + index * 5) % 32] }))
    const exact: Codec[] = exactCodecs({ codecs: viewer }, codecs)
    t.strictSame(new Set(typesOf(exact)).size, codecs.length)
    t.ok(rtxTypes(exact), JSON.stringify(typesOf(exact)))
  }
  // 100 and 101 cannot both be taken by video, because RTX of the first one gets the other.
  const adjacent = codecs.slice(1, 3).map((codec, index) => ({ ...codec, preferredPayloadType: 100 + index }))
  t.strictSame(typesOf(exactCodecs({ codecs: adjacent }, codecs)), [100])
  t.strictSame(exactCodecs({ codecs: [{ kind: 'video', mimeType: 'video/H263', clockRate: 90_000 }] }, codecs), [])
})

t.test('RTX has the payload types of the viewer, as far as mediasoup can give them', async t => {
  const { codecsNamed, exactCodecs } = await load('codecs')
  const names = ['opus', 'vp8', 'vp9', 'h264', 'av1']
  const supported = ['audio/opus', 'video/VP8', 'video/VP9', 'video/H264', 'video/AV1'].map(mimeType => ({ mimeType }))
  const codecs: Codec[] = codecsNamed(names, { codecs: supported })
  /** Per viewer: for each video codec the payload types of media and RTX. */
  const expected: Readonly<Record<string, Readonly<Record<number, number>>>> = {
    'Chromium, audio and video': { 96: 97, 98: 99, 102: 103, 108: 109 },
    // RTX of VP9 has 125, after 120 of VP8, whose own RTX has 124, after 121 of VP9.
    'Firefox, audio and video': { 120: 124, 126: 127 },
    'GStreamer whepclientsrc': { 96: 104 },
    pion: { 96: 97 },
    aiortc: { 97: 98, 99: 100 }
  }
  for (const [name, types] of Object.entries(expected)) {
    const { rtpCapabilities } = readView(VIEWING_OFFERS.find(offer => offer.name === name)?.sdp ?? '')
    const exact: Codec[] = exactCodecs(rtpCapabilities, codecs)
    const rtx = rtxTypes(exact)
    t.ok(rtx, `${name}: mediasoup takes them`)
    t.match(Object.fromEntries(rtx ?? []), types, name)
    const usable = rtpCapabilities.codecs.filter(each =>
      codecs.some(({ mimeType }) => sameText(mimeType, each.mimeType))
    )
    t.ok(withoutFillers(exact).length > 0 && withoutFillers(exact).length <= usable.length, name)
  }
})

t.test('payload types of any viewer become a list that mediasoup takes', async t => {
  const { codecsNamed, exactCodecs } = await load('codecs')
  const names = ['vp8', 'vp9', 'h264']
  const supported = ['video/VP8', 'video/VP9', 'video/H264'].map(mimeType => ({ mimeType }))
  const codecs: Codec[] = codecsNamed(names, { codecs: supported })
  const types = fc.uniqueArray(fc.integer({ min: 94, max: 127 }), { minLength: 10, maxLength: 10 })
  fc.assert(
    fc.property(types, ([...numbers]) => {
      const viewer = codecs.flatMap((codec, index) => [
        { ...codec, preferredPayloadType: numbers[index * 2] },
        { ...RTX, preferredPayloadType: numbers[index * 2 + 1], parameters: { apt: numbers[index * 2] } }
      ])
      const exact: Codec[] = exactCodecs({ codecs: viewer }, codecs)
      assert.ok(rtxTypes(exact), JSON.stringify(numbers))
      assert.equal(exact.at(-1)?.kind, 'video')
    })
  )
  t.pass('all are taken')
})

const RTX = { kind: 'video', mimeType: 'video/rtx', clockRate: 90_000 }
const sameText = (one: string, other: string) => one.toLowerCase() === other.toLowerCase()
const withoutFillers = (codecs: readonly Codec[]) => codecs.filter(({ mimeType }) => mimeType !== 'audio/CN')

/** The payload types of RTX by those of the media, as mediasoup gives them. Null: mediasoup refuses the list. */
function rtxTypes(codecs: readonly Codec[]): Map<number, number> | null {
  const free = Array.from({ length: 32 }, (_, index) => (index < 28 ? 100 + index : 68 + index))
  const used = new Set<number>()
  const rtx = new Map<number, number>()
  for (const { kind, preferredPayloadType: type = -1 } of codecs) {
    if (used.has(type)) return null
    used.add(type)
    if (free.includes(type)) free.splice(free.indexOf(type), 1)
    if (kind !== 'video') continue
    const given = free.shift()
    if (given === undefined) return null
    used.add(given)
    rtx.set(type, given)
  }
  return rtx
}

const EVENT = (id: string) => ({ type: 'producer_closed', participantId: 'alice', producerId: id })
const LAYERS = (consumerId: string, spatialLayer: number) => ({
  type: 'consumer_layers_changed',
  participantId: 'bob',
  consumerId,
  layers: { spatialLayer }
})

async function startPusher(t: Test, { receiver, urls }: { receiver: MediaReceiver; urls?: readonly string[] }) {
  const [{ Pusher }, { Notices }] = await Promise.all([load('pusher'), load('notices')])
  const overflows: string[] = []
  const log = { warn: () => {} }
  const settings = { secret: 'secret', signalpostUrls: urls ?? [receiver.url] }
  const notices = new Notices(() => pusher.wake())
  const onOverflow = () => overflows.push('overflow')
  const context = { settings, log, notices, onUnknown: () => pusher.close(), onOverflow }
  const pusher = new Pusher({ sessionId: 's', roomId: 'r', service: 'h:1' }, context)
  t.teardown(() => pusher.close())
  const events = () => receiver.received.filter(({ status }) => status === 204).flatMap(({ body }) => body.events)
  return { pusher, notices, overflows, events }
}

t.test('events are pushed in batches, in order, numbered without gaps', async t => {
  const receiver = await startMediaReceiver(t)
  const { pusher, events } = await startPusher(t, { receiver })
  const all = Array.from({ length: 250 }, (_, index) => EVENT(String(index)))
  for (const event of all) pusher.push(event)
  await until('all have arrived', () => events().length === 250)
  t.strictSame(events(), all)
  t.strictSame(
    receiver.received.map(({ body }) => body.seq),
    [1, 101, 201]
  )
})

t.test('if one node does not answer, the next one is tried', async t => {
  const receiver = await startMediaReceiver(t)
  const { pusher, events } = await startPusher(t, { receiver, urls: ['http://127.0.0.1:1', receiver.url] })
  pusher.push(EVENT('a'))
  await until('it has arrived', () => events().length === 1)
})

t.test('only the latest layers of a consumer wait, and a notice is sent once', async t => {
  const receiver = await startMediaReceiver(t)
  const { pusher, notices, events } = await startPusher(t, { receiver })
  receiver.refuse('s', [503])
  pusher.push(EVENT('a'))
  notices.set('x', { type: 'active_speaker', participantId: 'alice' })
  notices.set('x', { type: 'active_speaker', participantId: 'bob' })
  await until('it is refused', () => receiver.received.length === 1)
  for (const layer of [0, 1, 2]) pusher.push(LAYERS('c', layer))
  pusher.push(LAYERS('d', 0))
  await until('all have arrived', () => events().length === 3)
  t.strictSame(events(), [EVENT('a'), LAYERS('c', 2), LAYERS('d', 0)])
  const sent = () => receiver.received.flatMap(({ body }) => body.notices)
  await until('the notice has arrived', () => sent().length > 0)
  t.strictSame(sent(), [{ type: 'active_speaker', participantId: 'bob' }])
})

t.test('a session asks whether it is used with an empty push, which is repeated until it is answered', async t => {
  const receiver = await startMediaReceiver(t)
  const { pusher, events } = await startPusher(t, { receiver })
  receiver.refuse('s', [503])
  pusher.confirm()
  await until('it is repeated', () => receiver.received.length === 2)
  pusher.push(EVENT('a'))
  await until('the event has arrived', () => events().length === 1)
  t.match(
    receiver.received.map(({ body }) => ({ seq: body.seq, events: body.events.length, notices: body.notices.length })),
    [0, 0, 1].map(count => ({ seq: 1, events: count, notices: 0 }))
  )
})

t.test('too many events that wait are a reason to give the session up', async t => {
  const receiver = await startMediaReceiver(t)
  const { pusher, overflows, events } = await startPusher(t, { receiver })
  receiver.refuse('s', [503])
  pusher.push(EVENT('first'))
  await until('it is refused', () => receiver.received.length === 1)
  for (let index = 0; index < 1000; index++) pusher.push(EVENT(String(index)))
  t.strictSame(overflows, [])
  pusher.push(EVENT('one too many'))
  t.strictSame(overflows, ['overflow'])
  pusher.pushLast({ type: 'session_lost', reason: 'events_lost' })
  pusher.push(EVENT('after the end'))
  await until('the end has arrived', () => events().length === 2)
  t.strictSame(events(), [EVENT('first'), { type: 'session_lost', reason: 'events_lost' }])
})

t.test('settings are checked', async t => {
  const { readSettings } = await load('settings')
  const secret = { MEDIA_SERVICE_SECRET: 'x'.repeat(32) }
  t.match(readSettings(secret), { port: 4443, ports: { min: 40_000, max: 40_999 } })
  t.match(readSettings({ ...secret, SIGNALPOST_URLS: 'http://a/, http://b' }), {
    signalpostUrls: ['http://a', 'http://b']
  })
  t.throws(() => readSettings({}), /MEDIA_SERVICE_SECRET/)
  t.throws(() => readSettings({ ...secret, PORT: '70000' }), /PORT/)
  t.throws(() => readSettings({ ...secret, RTC_MIN_PORT: '50000' }), /RTC_MIN_PORT/)
  t.throws(() => readSettings({ ...secret, SIGNALPOST_URLS: '127.0.0.1:8080' }), /SIGNALPOST_URLS/)
  t.throws(() => readSettings({ ...secret, LISTEN_IP: 'localhost' }), /LISTEN_IP/)
  t.throws(() => readSettings({ ...secret, LISTEN_IP: '0.0.0.0' }), /ANNOUNCED_ADDRESS/)
  t.throws(() => readSettings({ ...secret, ANNOUNCED_ADDRESS: '203.0.113.7' }), /LISTEN_IP/)
  const behindNat = { LISTEN_IP: '0.0.0.0', ANNOUNCED_ADDRESS: '203.0.113.7' }
  t.match(readSettings({ ...secret, ...behindNat }), { listenIp: '0.0.0.0', announcedAddress: '203.0.113.7' })
})
