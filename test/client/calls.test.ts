// The rules of calls, as users of the SDK see them, with real connections.
import t from 'tap'
import type { Call } from '../../packages/client/src/index.js'
import { sdp } from '../helpers/sdp.js'
import { until } from '../helpers/until.js'
import { areConnected, codeOf, connected, type Rule, ring, testRules } from './call-rules.js'
import { incoming, next, withChannel } from './people.js'

const ufragOf = ({ peerConnection }: Call) => /a=ice-ufrag:(.*)/.exec(peerConnection?.localDescription?.sdp ?? '')?.[1]

const RULES: Record<string, Rule> = {
  'a call that is answered connects, and ends when a side hangs up': async (t, connect) => {
    const { alice, bob, call, answered } = await connected(connect)
    t.equal(call.id, answered.id)
    t.match([call.peer?.user, answered.peer?.user, call.to?.device], ['bob', 'alice', 'laptop'])
    const ended = next(call, 'ended')
    await answered.hangup()
    t.match(await ended, { reason: 'hangup', by: { user: 'bob' } })
    t.same([alice.calls.size, bob.calls.size, answered.reason], [0, 0, 'hangup'])
    const { entries } = await call.timeline()
    t.same(entries.filter(({ type }) => type === 'offer').length, 1)
  },

  'a call rings with the time that is left, until it is declined on another device': async (t, connect) => {
    const phone = await connect('bob', { device: 'phone' })
    const ringsOnPhone = incoming(phone)
    const { call, answered } = await ring(connect)
    await next(call, 'ringing')
    const onPhone = await ringsOnPhone
    const leftMs = Number(onPhone.expiresAt) - Date.now()
    t.ok(leftMs > 20_000 && leftMs <= 30_000, `${leftMs} ms are left`)
    const ends = Promise.all([next(call, 'ended'), next(answered, 'ended')])
    await onPhone.reject()
    t.match(await ends, [{ reason: 'declined' }, { reason: 'declined_elsewhere' }])
    t.equal(onPhone.reason, 'declined')
  },

  'of two devices that accept at once one is refused': async (t, connect) => {
    const phone = await connect('bob', { device: 'phone' })
    const ringsOnPhone = incoming(phone)
    const { call, answered } = await ring(connect)
    const calls = [answered, await ringsOnPhone]
    const outcomes = await Promise.all(calls.map(each => codeOf(each.accept())))
    t.same([...outcomes].sort(), ['answered_elsewhere', 'none'])
    const refused = calls[outcomes.indexOf('answered_elsewhere')]
    t.same([refused?.state, refused?.reason, refused?.peerConnection], ['ended', 'answered_elsewhere', null])
    await areConnected(call, calls[outcomes.indexOf('none')] as Call)
  },

  'a call is cancelled before its create has returned': async (t, connect) => {
    const [alice, bob] = await Promise.all([connect('alice'), connect('bob')])
    const rung: Call[] = []
    bob.on('incoming', call => rung.push(call))
    const controller = new AbortController()
    const calling = alice.call('bob', { ...withChannel, signal: controller.signal })
    controller.abort()
    const call = await calling
    t.same([call.state, call.reason, alice.calls.size], ['ended', 'cancelled', 0])
    const { calls } = await alice.request('GET', '/calls')
    t.same(calls, [])
    await until('it rings nowhere', () => bob.calls.size === 0)
    for (const each of rung) t.equal(each.reason, 'cancelled')
  },

  'a second accept leaves the connection of the first alone': async (t, connect) => {
    const { call, answered } = await ring(connect)
    await Promise.all([answered.accept(), answered.accept()])
    const { peerConnection } = answered
    await answered.accept()
    await areConnected(call, answered)
    t.equal(answered.peerConnection, peerConnection)
  },

  'a user who is in a call is busy': async (t, connect) => {
    const { call, answered } = await connected(connect)
    const carol = await connect('carol')
    t.equal(await codeOf(carol.call('bob', withChannel)), 'callee_busy')
    t.equal(carol.calls.size, 0)
    await areConnected(call, answered)
  },

  'a user without a device cannot be called, which takes one request': async (t, connect) => {
    const requests: string[] = []
    const alice = await connect('alice', {
      fetch(url, init) {
        requests.push(`${init?.method} ${new URL(String(url)).pathname}`)
        return fetch(url, init)
      }
    })
    t.equal(await codeOf(alice.call('nobody', withChannel)), 'callee_unreachable')
    t.same(
      requests.filter(each => each === 'POST /v1/calls'),
      ['POST /v1/calls']
    )
    t.equal(alice.calls.size, 0)
  },

  'two users who call each other at once are in one call': async (t, connect) => {
    const [alice, bob] = await Promise.all([connect('alice'), connect('bob')])
    const rung: Call[] = []
    for (const each of [alice, bob]) each.on('incoming', call => rung.push(call))
    const calls = await Promise.all([alice.call('bob', withChannel), bob.call('alice', withChannel)])
    t.equal(calls[0].id, calls[1].id)
    await areConnected(...calls)
    t.same([alice.calls.size, bob.calls.size], [1, 1])
    for (const call of rung) t.equal(call.reason, 'merged')
  },

  'a call that is merged is accepted after it can be listened to': async (t, connect) => {
    const own = { RTCPeerConnection: null }
    const [alice, bob] = await Promise.all([connect('alice', own), connect('bob', own)])
    const rings = incoming(bob)
    const first = await alice.call('bob')
    await rings
    const second = await bob.call('alice')
    t.same([second.id, second.state], [first.id, 'connecting'])
    await next(second, 'accepted')
    await until('alice knows', () => first.state === 'connecting')
  },

  'an offer of the caller waits until the call is accepted, and fails if it ends before': async (t, connect) => {
    const own = { RTCPeerConnection: null }
    const [alice, bob] = await Promise.all([connect('alice', own), connect('bob', own)])
    for (const outcome of ['none', 'call_ended']) {
      const rings = incoming(bob)
      const call = await alice.call('bob')
      const offered = codeOf(call.signal('offer', { sdp: sdp('aaaa') }))
      const answered = await rings
      await (outcome === 'none' ? answered.accept() : answered.hangup())
      t.equal(await offered, outcome)
      await call.hangup()
    }
  },

  'messages go both ways, also while it rings': async (t, connect) => {
    const { call, answered } = await ring(connect)
    const first = next(answered, 'message')
    await call.send('It is me')
    t.match(await first, { content: 'It is me', from: { user: 'alice' } })
    await answered.accept()
    const second = next(call, 'message')
    await answered.send('Hello')
    t.match(await second, { content: 'Hello', from: { user: 'bob' } })
  },

  'hold and mute are shown to the other side': async (t, connect) => {
    const { call, answered } = await connected(connect)
    const held = next(answered, 'held')
    await call.hold(true)
    t.same(await held, { local: false, remote: true })
    t.same(call.held, { local: true, remote: false })
    const resumed = next(answered, 'held')
    await call.hold(false)
    t.same(await resumed, { local: false, remote: false })
    const media = next(call, 'media')
    await answered.mute({ audio: true })
    t.match(await media, { audio: false, video: null })
  },

  'both sides change the media at once': async (t, connect) => {
    const { call, answered } = await connected(connect)
    for (const each of [call, answered]) each.peerConnection?.addTransceiver('audio')
    await until('both have agreed on both', () =>
      [call, answered].every(
        ({ peerConnection }) =>
          peerConnection?.signalingState === 'stable' &&
          peerConnection.getTransceivers().filter(({ currentDirection }) => currentDirection).length === 2
      )
    )
    await areConnected(call, answered)
    t.equal(call.peerConnection?.getTransceivers().length, 2)
  },

  'both sides restart ICE at once': async (t, connect) => {
    const { call, answered } = await connected(connect)
    const before = [call, answered].map(ufragOf)
    for (const each of [call, answered]) each.peerConnection?.restartIce()
    await until('both have new credentials', () =>
      [call, answered].every(
        (each, i) => ufragOf(each) !== before[i] && each.peerConnection?.signalingState === 'stable'
      )
    )
    await areConnected(call, answered)
    t.pass()
  },

  'the callee makes the first offer': async (t, connect) => {
    const [alice, bob] = await Promise.all([connect('alice'), connect('bob')])
    const rings = incoming(bob)
    const call = await alice.call('bob', { offerer: 'callee' })
    const answered = await rings
    await answered.accept(withChannel)
    await areConnected(call, answered)
    t.pass()
  },

  'what is to be sent is known only after the call was answered': async (t, connect) => {
    const [alice, bob] = await Promise.all([connect('alice'), connect('bob')])
    const rings = incoming(bob)
    const call = await alice.call('bob')
    const answered = await rings
    call.peerConnection?.createDataChannel('while it rings')
    await answered.accept()
    await areConnected(call, answered)
    t.pass()
  },

  'programs with a stack of their own receive the signals': async (t, connect) => {
    const own = { RTCPeerConnection: null }
    const [alice, bob] = await Promise.all([connect('alice', own), connect('bob', own)])
    const rings = incoming(bob)
    const call = await alice.call('bob', { offer: { sdp: sdp('aaaa') } })
    const answered = await rings
    t.equal(answered.first.offer?.sdp, sdp('aaaa'))
    const answer = next(call, 'signal')
    await answered.accept({ answer: { sdp: sdp('bbbb') } })
    t.match(await answer, { type: 'answer', data: { revision: 1, sdp: sdp('bbbb') } })
    const offer = next(call, 'signal')
    await answered.signal('offer', { sdp: sdp('cccc') })
    t.match(await offer, { type: 'offer', data: { revision: 2 } })
    t.same([call.peerConnection, call.state], [null, 'connecting'])
  }
}

testRules(t, RULES)
