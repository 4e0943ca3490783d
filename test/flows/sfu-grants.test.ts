// Grants for the sources of media, over HTTP; and bodies that no client of mediasoup sends.
import t from 'tap'
import type { Grant } from '../../src/schemas/claims.js'
import { join } from '../helpers/rooms.js'
import { flow } from '../helpers/scenario.js'
import { MediaClient, meetInSfu, rtpParameters, startMediaService } from '../helpers/sfu.js'

const { service, env } = await startMediaService()
t.teardown(() => service.close())

const refused = { status: 403, body: { code: 'not_permitted' } }

flow(
  'a token with grants for some sources lets its user send and receive these only',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    await alice.produce('audio', 'audio')
    await alice.produce('video', 'video')
    await alice.produce('screen', 'video', { source: 'screen' })
    await alice.produceData('data')
    const sources = ['audio', 'video', 'screen', 'data'] as const
    const table: readonly (readonly [Grant, readonly string[], readonly string[]])[] = [
      ['publish:audio', ['audio'], []],
      ['publish:screen', ['screen'], []],
      ['subscribe:video', [], ['video']],
      ['subscribe', [], sources],
      ['publish', sources, []],
      ['chat', [], []]
    ]
    for (const [i, [grant, sends, receives]] of table.entries()) {
      const rooms = { r1: { grants: ['join', grant] as Grant[] } }
      const who = await scenario.addClient(`user${i}`, 'phone', { rooms, silent: true })
      const client = new MediaClient(await join(who, 'r1'), 'r1')
      if (grant === 'chat') {
        t.match(await client.request('GET', 'capabilities'), refused)
        t.match(await client.request('POST', 'transports', {}), refused)
      } else {
        await client.openTransports()
        t.equal((await client.request('GET', 'capabilities')).status, 200)
      }
      for (const source of sources) {
        const sent =
          source === 'data'
            ? await client.produceData('d')
            : await client.produce(source, source === 'audio' ? 'audio' : 'video', { source })
        const received =
          source === 'data' ? await client.consumeData('d', alice, 'data') : await client.consume(source, alice, source)
        t.match(sent, sends.includes(source) ? { status: 201 } : refused, `${grant}: send ${source}`)
        t.match(received, receives.includes(source) ? { status: 201 } : refused, `${grant}: receive ${source}`)
      }
    }
    await scenario.cluster.settle()
    for (const { who } of [alice, bob]) await who.poll()
  },
  { env }
)

const deep = (levels: number): object => (levels === 0 ? {} : { a: deep(levels - 1) })
const codec = { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000 }

flow(
  'hostile bodies are refused before the media service is asked, and unknown members of RTP parameters are passed on',
  async (t, scenario) => {
    const [alice, bob] = await meetInSfu(scenario)
    const rtp = rtpParameters('video')
    const asked = service.countOf('create')
    const bodies: readonly (readonly [string, unknown, string])[] = [
      ['10,000 codecs', { rtpParameters: { codecs: Array.from({ length: 10_000 }, () => codec) } }, 'too_large'],
      ['65 codecs', { rtpParameters: { codecs: Array.from({ length: 65 }, () => codec) } }, 'too_large'],
      ['no codecs', { rtpParameters: { codecs: [] } }, 'invalid_request'],
      ['codecs that are none', { rtpParameters: { codecs: 'opus' } }, 'invalid_request'],
      ['a codec of another type', { rtpParameters: { codecs: [{ ...codec, payloadType: '96' }] } }, 'invalid_request'],
      ['parameters that are a list', { rtpParameters: [] }, 'invalid_request'],
      ['deep parameters', { rtpParameters: { ...rtp, future: deep(12) } }, 'too_large'],
      ['large parameters', { rtpParameters: { ...rtp, future: 'x'.repeat(70_000) } }, 'too_large'],
      ['a huge body', { rtpParameters: { ...rtp, future: 'x'.repeat(2_000_000) } }, 'too_large'],
      ['large appData', { appData: { x: 'x'.repeat(2000) } }, 'too_large'],
      ['deep appData', { appData: deep(16) }, 'too_large'],
      ['appData that is a text', { appData: 'x' }, 'invalid_request'],
      ['a NUL in the id', { producerId: 'a\0b' }, 'invalid_request'],
      ['an id that is a path', { producerId: '..' }, 'invalid_request'],
      ['a transport that is an object', { transportId: {} }, 'invalid_request'],
      ['an unknown kind', { kind: 'smell' }, 'invalid_request'],
      ['a kind of another source', { kind: 'video', source: 'audio' }, 'invalid_request'],
      ['an unknown member', { participantId: bob.id }, 'invalid_request']
    ]
    for (const [name, body, code] of bodies) {
      const reply = await alice.request('POST', 'producers', { ...alice.producing('x'), ...(body as object) })
      t.match(reply.body, { code }, name)
    }
    const sendText = async (body: string): Promise<unknown> => {
      const url = `${scenario.urlOf(0)}/v1/rooms/${scenario.toPath('r1')}/sfu/producers`
      const headers = { ...alice.who.credentials.headers, 'content-type': 'application/json' }
      const reply = await fetch(url, { method: 'POST', headers, body })
      return ((await reply.json()) as { code: string }).code
    }
    const text = JSON.stringify(alice.producing('x'))
    t.equal(
      await sendText(text.replace('"mid"', `"x":${'{"a":'.repeat(9000)}{}${'}'.repeat(9000)},"mid"`)),
      'too_large'
    )
    t.equal(await sendText(text.replace('"mid"', '"__proto__":{"x":1},"mid"')), 'malformed_json')
    t.match(
      await alice.request('POST', 'data-producers', { transportId: 'send', sctpStreamParameters: { streamId: -1 } }),
      {
        status: 400
      }
    )
    t.match(await alice.request('PATCH', 'consumers/x', {}), { status: 400, body: { code: 'invalid_request' } })
    t.equal(service.countOf('create'), asked, 'the media service was not asked')

    const named = { constructor: { name: 'x' }, toString: 'y', hasOwnProperty: 1, nested: { prototype: null } }
    t.equal((await alice.produce('constructor', 'video', { appData: named })).status, 201)
    const { producer } = await bob.who.expectEvent('sfu.producer_added')
    t.equal(JSON.stringify((producer as { appData: object }).appData), JSON.stringify(named))
    const empty = { codecs: [{ ...codec, mimeType: 'smell/rose' }] }
    t.equal((await alice.produce('rose', 'video', { rtpParameters: empty })).status, 201, 'the media service decides')
    await bob.who.expectEvent('sfu.producer_added')
    const other = { rtpCapabilities: { codecs: [{ ...codec, kind: 'video', mimeType: 'video/other' }] } }
    t.match(await bob.consume('c', alice, 'constructor', other), { status: 409, body: { code: 'cannot_consume' } })
    t.match(await bob.consume('c', alice, 'constructor', { rtpCapabilities: {} }), { body: { code: 'cannot_consume' } })
  },
  { env }
)
