// Events that arrive before the application can listen to a call or room: before the reply to the request that made it.
import t from 'tap'
import { until } from '../helpers/until.js'
import { type Rule, testRules } from './call-rules.js'
import { type Connect, incoming, startPeople } from './people.js'

const sdp = (ufrag: string) =>
  `v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:${ufrag}\r\na=ice-pwd:0123456789012345678901\r\n`

/** A user without WebRTC, to whom the reply of this POST arrives after an event of this type. */
async function connectLate(connect: Connect, path: RegExp, type: string) {
  let arrive = () => {}
  const arrived = new Promise<void>(resolve => {
    arrive = resolve
  })
  const client = await connect('alice', {
    RTCPeerConnection: null,
    async fetch(url, init) {
      const response = await fetch(url, init)
      if (init?.method === 'POST' && path.test(String(url))) await arrived
      return response
    }
  })
  client.on('event', event => event.type === type && arrive())
  return client
}

const RULES: Record<string, Rule> = {
  'a call is answered before the reply to its create arrives': async (t, connect) => {
    const [alice, bob] = await Promise.all([
      connectLate(connect, /\/calls$/, 'signal.offer'),
      connect('bob', { RTCPeerConnection: null })
    ])
    bob.on('incoming', async call => {
      await call.accept({ answer: { sdp: sdp('bbbb') } })
      await call.send('Hello')
      await call.signal('offer', { sdp: sdp('cccc') })
    })
    const call = await alice.call('bob', { offer: { sdp: sdp('aaaa') } })
    const events: string[] = []
    call.on('accepted', () => events.push('accepted'))
    call.on('message', ({ content }) => events.push(content))
    call.on('signal', ({ type }) => events.push(type))
    await until('the offer arrives', () => events.includes('offer'))
    t.strictSame(events, ['accepted', 'answer', 'Hello', 'offer'])
  },

  'a call that rang before this client started brings its offer': async (t, connect) => {
    const own = { RTCPeerConnection: null }
    const alice = await connect('alice', own)
    for (const isHasty of [false, true]) {
      const rings = incoming(await connect('bob', { ...own, device: 'laptop' }))
      const call = await alice.call('bob', { offer: { sdp: sdp('aaaa') } })
      await rings
      const signals: string[] = []
      const after = await connect('bob', {
        ...own,
        device: 'laptop',
        async incoming(call) {
          call.on('signal', ({ type }) => signals.push(type))
          if (isHasty) await call.accept()
        }
      })
      const rung = after.calls.get(call.id)
      await until('the offer is here', () => rung?.first.offer?.sdp === sdp('aaaa'))
      if (isHasty) {
        await until('the offer has arrived as a signal', () => signals.includes('offer'))
        await rung?.signal('answer', { sdp: sdp('bbbb') })
      } else await rung?.accept({ answer: { sdp: sdp('bbbb') } })
      t.match(await new Promise(resolve => call.once('signal', resolve)), { type: 'answer' })
      await call.hangup()
      await after.close()
    }
  },

  'signals wait for the first listener': async (t, connect) => {
    const own = { RTCPeerConnection: null }
    const [alice, bob] = await Promise.all([connect('alice', own), connect('bob', own)])
    const rings = incoming(bob)
    const call = await alice.call('bob', { offer: { sdp: sdp('aaaa') } })
    const answered = await rings
    await answered.accept({ answer: { sdp: sdp('bbbb') } })
    await until('the caller knows', () => call.state === 'connecting')
    const received: string[] = []
    bob.on('event', ({ type }) => received.push(type))
    for (const ufrag of ['cccc', 'dddd']) await call.signal('offer', { sdp: sdp(ufrag) })
    await until('both have arrived', () => received.filter(type => type === 'signal.offer').length === 2)
    const next = () => new Promise(resolve => answered.once('signal', ({ data }) => resolve(data)))
    t.match([await next(), await next()], [{ revision: 2 }, { revision: 3 }])
  },

  'a message is sent in a room before the reply to joining arrives': async (t, connect) => {
    const [alice, bob] = await Promise.all([
      connectLate(connect, /\/participants$/, 'chat.message'),
      connect('bob', { RTCPeerConnection: null })
    ])
    const known = await bob.join('standup')
    known.on('participant_joined', () => known.chat('Hello'))
    const room = await alice.join('standup')
    const message = new Promise(resolve => room.once('message', resolve))
    t.match(await message, { content: 'Hello' })
  }
}

testRules(t, RULES)

t.test('who joins a room without a media service is told so once', async t => {
  const connect = await startPeople(
    t,
    { engine: 'memory' },
    {
      MEDIA_SERVICE_URLS: 'http://127.0.0.1:1',
      MEDIA_SERVICE_SECRET: 'a secret of the media service and of Signalpost'
    }
  )
  const own = { RTCPeerConnection: null }
  const [alice, bob] = await Promise.all([connect('alice', own), connect('bob', own)])
  const host = await alice.join('standup')
  const isUnavailable = new Promise(resolve => host.once('unavailable', resolve))
  await host.update({ mode: 'sfu', p2pFallback: false })
  await host.request('GET', '/sfu/capabilities', undefined, { retry: false }).catch(() => {})
  await isUnavailable
  const room = await bob.join('standup')
  const told: unknown[] = []
  room.on('unavailable', value => told.push(value))
  await host.chat('Hello')
  await new Promise(resolve => room.once('message', resolve))
  t.match(told, [{ roomId: 'standup' }])
})
