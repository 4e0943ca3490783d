// Calls whose devices disconnect, whose pages are reloaded, and that end while a request is in flight.
import t from 'tap'
import type { Call } from '../../packages/client/src/index.js'
import { until } from '../helpers/until.js'
import { areConnected, codeOf, connected, type Rule, ring, testRules } from './call-rules.js'
import { next, withChannel } from './people.js'

const RULES: Record<string, Rule> = {
  'a side that loses its connection is away, and comes back': async (t, connect) => {
    const { bob, call } = await connected(connect)
    const away = next(call, 'peer_away')
    await bob.close()
    t.match(await away, { expiresInMs: Number })
    const back = next(call, 'peer_back')
    await bob.connect()
    await back
    t.equal(call.state, 'connected')
  },

  'a call that ended while this device was away has ended as lost': async (t, connect) => {
    const { bob, call, answered } = await connected(connect)
    await bob.close()
    await call.hangup()
    const ended = next(answered, 'ended')
    await bob.connect()
    t.match(await ended, { reason: 'lost' })
  },

  'a call goes on after a reload': async (t, connect) => {
    const { bob, call, answered } = await connected(connect)
    const before = call.peerConnection
    answered.peerConnection?.close()
    await bob.close()
    const resumable = new Promise<Call>(resolve => {
      void connect('bob', { device: 'laptop', resumable: resolve })
    })
    const resumed = await resumable
    t.match([resumed.id, resumed.state, resumed.direction], [call.id, 'connected', 'incoming'])
    await resumed.resume(withChannel)
    await areConnected(call, resumed)
    t.not(call.peerConnection, before, 'the other side has replaced its connection')
  },

  'a call whose page is gone is hung up if the application does not resume it': async (t, connect) => {
    const { bob, call } = await connected(connect)
    await bob.close()
    const ended = next(call, 'ended')
    await connect('bob', { device: 'laptop' })
    t.match(await ended, { reason: 'hangup', by: { user: 'bob' } })
  },

  'a caller who gives up while the callee accepts': async (t, connect) => {
    const { alice, bob, call, answered } = await ring(connect)
    await Promise.all([codeOf(answered.accept()), call.hangup()])
    await until('both have no call', () => alice.calls.size === 0 && bob.calls.size === 0)
    t.same([call.state, answered.state], ['ended', 'ended'])
  },

  'a callee who hangs up while the accept is sent': async (t, connect) => {
    const { call, answered } = await ring(connect)
    const ended = next(call, 'ended')
    const accepting = codeOf(answered.accept())
    await answered.hangup()
    t.equal(await accepting, 'call_ended')
    await ended
    t.same([call.state, answered.state], ['ended', 'ended'])
  }
}

testRules(t, RULES)
