// Calls to several users and to one device of a user, as users of the SDK see them.
import t from 'tap'
import type { Call } from '../../packages/client/src/index.js'
import { launchChromium } from '../browser/chromium.js'
import { startServers } from '../helpers/servers.js'
import { until } from '../helpers/until.js'
import { BrowserUser, checkErrors } from './browser-user.js'
import { areConnected, codeOf, type Rule, testRules } from './call-rules.js'
import { servePages } from './pages.js'
import { incoming, next, withChannel } from './people.js'

const states = ({ callees }: Call) => callees.map(({ user, state, reason }) => `${user} ${reason ?? state}`)

const RULES: Record<string, Rule> = {
  'of several callees the first who accepts is in the call': async (t, connect) => {
    const [alice, bob, carol] = await Promise.all([connect('alice'), connect('bob'), connect('carol')])
    const rings = Promise.all([incoming(bob), incoming(carol)])
    const call = await alice.call(['bob', 'carol'], withChannel)
    t.same([call.to, call.peer, ...states(call)], [null, null, 'bob ringing', 'carol ringing'])
    const [atBob, atCarol] = await rings
    t.match([atBob.to, atBob.callees, atCarol.peer], [{ user: 'bob' }, [], { user: 'alice' }])
    const ended = next(atBob, 'ended')
    await atCarol.accept()
    await areConnected(call, atCarol)
    t.match(await ended, { reason: 'answered_elsewhere' })
    t.equal(await codeOf(atBob.accept()), 'answered_elsewhere')
    t.match([call.peer?.user, ...states(call)], ['carol', 'bob answered_elsewhere', 'carol answered'])
    t.equal(bob.calls.size, 0)
  },

  'callees ring one after the other, and the caller is told how it goes': async (t, connect) => {
    const [alice, bob, carol] = await Promise.all([connect('alice'), connect('bob'), connect('carol')])
    const ringsAtBob = incoming(bob)
    const ringsAtCarol = incoming(carol)
    const call = await alice.call(['bob', { user: 'carol', ringTimeoutMs: 20_000 }], {
      ringStrategy: 'sequence',
      ...withChannel
    })
    t.same(states(call), ['bob ringing', 'carol waiting'])
    const changes: unknown[] = []
    call.on('callee', ({ callee }) => changes.push([callee.user, callee.reason ?? callee.state]))
    await (await ringsAtBob).reject()
    const atCarol = await ringsAtCarol
    await until('alice knows', () => changes.length === 2)
    t.same(changes, [
      ['bob', 'declined'],
      ['carol', 'ringing']
    ])
    t.same([...states(call), call.state, call.to], ['bob declined', 'carol ringing', 'ringing', null])
    await atCarol.accept()
    await areConnected(call, atCarol)
    t.equal(call.to?.user, 'carol')
  },

  'a call to a device rings there only': async (t, connect) => {
    const [alice, laptop, phone] = await Promise.all([
      connect('alice'),
      connect('bob', { device: 'laptop' }),
      connect('bob', { device: 'phone' })
    ])
    const rings = incoming(phone)
    const call = await alice.call({ user: 'bob', device: 'phone' }, withChannel)
    t.match(call.to, { user: 'bob' })
    const answered = await rings
    await answered.accept()
    await areConnected(call, answered)
    t.same([call.to?.device, laptop.calls.size], ['phone', 0])
  },

  'a caller who hangs up stops the ringing at all callees': async (t, connect) => {
    const [alice, bob, carol] = await Promise.all([connect('alice'), connect('bob'), connect('carol')])
    const rings = Promise.all([incoming(bob), incoming(carol)])
    const call = await alice.call(['bob', 'carol'], withChannel)
    const ends = (await rings).map(each => next(each, 'ended'))
    await call.hangup()
    t.match(await Promise.all(ends), [{ reason: 'cancelled' }, { reason: 'cancelled' }])
    t.same([alice.calls.size, bob.calls.size, carol.calls.size], [0, 0, 0])
  }
}

testRules(t, RULES)

t.test('in Chromium, with the published bundle', async t => {
  const origin = await servePages(t)
  const [one, two] = await startServers(t, { engine: 'redis', nodes: 2 }, { CORS_ORIGINS: origin })
  const context = await (await launchChromium(t)).newContext({ permissions: ['camera', 'microphone'] })
  const open = async (user: string, url = '', options = {}) =>
    BrowserUser.open({ origin, url, user, page: await context.newPage() }, options)
  const alice = await open('alice', one?.url)
  const bob = await open('bob', two?.url, { answers: false })
  const carol = await open('carol', one?.url, { answers: false })
  await alice.do('call', ['bob', 'carol'])
  await Promise.all([bob, carol].map(each => each.until('globalThis.call?.state === "ringing"')))
  await bob.run('call.reject()')
  await alice.until('call.callees[0].reason === "declined"')
  await carol.run('call.accept({ media: await sdk.camera() })')
  await Promise.all([alice, carol].map(each => each.do('seesMoreFrames')))
  t.same(await alice.run('[call.peer.user, call.callees.map(({ state }) => state)]'), ['carol', ['ended', 'answered']])
  await checkErrors(t, alice, bob, carol)
})
