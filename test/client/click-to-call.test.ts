// Calls that an operator starts between two users of the SDK.
import t, { type Test } from 'tap'
import type { Call } from '../../packages/client/src/index.js'
import { launchChromium } from '../browser/chromium.js'
import { WITH_ADMIN } from '../helpers/operator.js'
import { LAYOUTS, nameOf, type Server, startServers } from '../helpers/servers.js'
import { until } from '../helpers/until.js'
import { BrowserUser, checkErrors } from './browser-user.js'
import { areConnected } from './call-rules.js'
import { servePages } from './pages.js'
import { connectTo, incoming, next, withChannel } from './people.js'

/** The operator starts a call between alice, who rings first, and bob. */
async function startCall(t: Test, [server]: readonly Server[], more: object = {}): Promise<void> {
  const reply = await server?.app.admin?.inject({
    method: 'POST',
    url: '/v1/admin/calls',
    headers: { authorization: `Bearer ${WITH_ADMIN.ADMIN_SECRET}` },
    payload: { from: 'alice', to: 'bob', ...more }
  })
  t.equal(reply?.statusCode, 201)
}

for (const layout of LAYOUTS) {
  for (const offerer of ['caller', 'callee'] as const) {
    t.test(`who is rung first calls the other user, the ${offerer} offers, ${nameOf(layout)}`, async t => {
      const servers = await startServers(t, layout, WITH_ADMIN)
      const connect = connectTo(t, servers)
      const [alice, bob] = await Promise.all([connect('alice'), connect('bob')])
      const [first, second] = [incoming(alice), incoming(bob)]
      await startCall(t, servers, { offerer })
      const call = await first
      t.match(call, { direction: 'incoming', startedBy: 'operator', peer: { user: 'bob' } })
      await call.accept(withChannel)
      t.match(call, { direction: 'outgoing', state: 'ringing', peer: { user: 'bob', device: null } })
      const answered = await second
      t.match(answered, { startedBy: null, peer: { user: 'alice' } })
      await answered.accept(withChannel)
      await areConnected(call, answered)
      t.match(call.peer, { user: 'bob', device: bob.device })
      await call.hangup()
      await until('it has ended for bob', () => answered.reason === 'hangup')
    })
  }

  t.test(`who comes while the call rings takes it from the snapshot, ${nameOf(layout)}`, async t => {
    const servers = await startServers(t, layout, WITH_ADMIN)
    const connect = connectTo(t, servers)
    const [tablet, bob] = await Promise.all([connect('alice', { device: 'tablet' }), connect('bob')])
    const [first, second] = [incoming(tablet), incoming(bob)]
    await startCall(t, servers)
    const ended = next(await first, 'ended')
    const call = await new Promise<Call>((resolve, reject) => {
      connect('alice', { device: 'phone', incoming: resolve }).catch(reject)
    })
    t.equal(call.startedBy, null, 'a snapshot does not say it')
    await call.accept(withChannel)
    t.match(await ended, { reason: 'answered_elsewhere' })
    const answered = await second
    await answered.accept(withChannel)
    await areConnected(call, answered)
  })
}

t.test('in Chromium, with the published bundle', async t => {
  const origin = await servePages(t)
  const servers = await startServers(t, { engine: 'redis', nodes: 2 }, { ...WITH_ADMIN, CORS_ORIGINS: origin })
  const context = await (await launchChromium(t)).newContext({ permissions: ['camera', 'microphone'] })
  const open = async (user: string, { url }: Server) =>
    BrowserUser.open({ origin, url, user, page: await context.newPage() })
  const [one, two] = servers as [Server, Server]
  const users = await Promise.all([open('alice', one), open('bob', two)])
  await startCall(t, servers)
  await Promise.all(users.map(user => user.until('globalThis.call?.state === "connected"')))
  await Promise.all(users.map(user => user.do('seesMoreFrames')))
  const [alice, bob] = users
  t.same(await alice.run('[call.startedBy, call.direction, call.peer.user]'), ['operator', 'outgoing', 'bob'])
  await bob.run('call.hangup()')
  await alice.do('logged', 'ended')
  await checkErrors(t, ...users)
})
