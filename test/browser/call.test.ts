// A call of two in two browsers, on servers of another origin: real video, over networks that break.
import t, { type Test } from 'tap'
import { type Layout, type Server, startServers } from '../helpers/servers.js'
import { CallTab } from './call-tab.js'
import { launchChromium } from './chromium.js'
import { holdLogs, type Place, servePages, takePlace } from './pages.js'

interface Scene {
  readonly servers: readonly Server[]
  readonly alice: Place<CallTab>
  readonly bob: Place<CallTab>
}

const pages = await servePages(t)
const browser = await launchChromium(t)

/** alice is at the first node, bob at the last one. */
async function setScene(t: Test, layout: Layout): Promise<Scene> {
  const servers = await startServers(t, layout, { CORS_ORIGINS: pages.origin })
  const place = (user: string, server: Server | undefined) =>
    takePlace(t, server?.url, gate => CallTab.open(t, browser, `${pages.linkOf(user, '/')}&server=${gate.url}`))
  return { servers, alice: await place('alice', servers[0]), bob: await place('bob', servers.at(-1)) }
}

async function call({ alice, bob }: Scene): Promise<void> {
  await alice.tab.call('bob')
  await bob.tab.press('Answer')
  await see({ alice, bob })
}

async function see({ alice, bob }: Pick<Scene, 'alice' | 'bob'>): Promise<void> {
  await Promise.all([alice.tab.reads('You are talking with bob.'), bob.tab.reads('You are talking with alice.')])
  await Promise.all([alice.tab.sees(), bob.tab.sees()])
}

t.test('a video call through two nodes, one of which goes in the middle of it', async t => {
  const scene = await setScene(t, { engine: 'redis', nodes: 2 })
  const { servers, alice, bob } = scene
  await Promise.all([alice.tab.isConnected('live'), bob.tab.isConnected('live')])
  await call(scene)

  alice.gate.cut()
  await servers[0]?.app.close()
  await alice.tab.isConnected('reconnecting')
  await bob.tab.press('Hold')
  await bob.tab.logs('POST hold')
  await bob.tab.logs('POST offer')
  alice.gate.leadTo(servers[1]?.url ?? '')
  await alice.tab.reads('bob has put you on hold.')
  const [, lastId] = /\r\nlast-event-id: (\S+)\r\n/.exec(alice.gate.streams.at(-1) ?? '') ?? []
  t.ok(
    (await alice.tab.log()).some(({ id }) => id === lastId),
    `it has resumed by itself, after ${lastId}`
  )

  await bob.tab.logs('signal.answer')
  await bob.tab.press('Hold')
  await see(scene)
  await alice.tab.press('Hang up')
  await bob.tab.reads('The call is over.')
  await holdLogs(t, scene.alice, scene.bob)
})

t.test('two offers that cross: the second gives way, and then has its turn', async t => {
  const scene = await setScene(t, { engine: 'memory' })
  const { alice, bob } = scene
  await call(scene)
  const ufrag = await bob.tab.ufrag()

  bob.gate.holdStreams(true)
  await alice.tab.press('Hold')
  await alice.tab.logs('POST offer', 2)
  const refusal = bob.tab.page.waitForResponse(reply => reply.url().endsWith('/offer') && reply.status() === 409)
  await bob.tab.restartIce()
  t.match(await (await refusal).json(), { code: 'offer_collision', pendingFrom: 'caller' })
  bob.gate.holdStreams(false)
  await bob.tab.logs('POST answer', 2)
  await bob.tab.logs('signal.answer')
  t.not(await bob.tab.ufrag(), ufrag, 'it asked again by itself')

  await alice.tab.press('Hold')
  await see(scene)
  await holdLogs(t, scene.alice, scene.bob)
})

t.test('a proxy that holds streams back', async t => {
  const scene = await setScene(t, { engine: 'memory' })
  const { alice, bob } = scene
  bob.gate.cut()
  bob.gate.holdStreams(true)
  bob.gate.leadTo(scene.servers[0]?.url ?? '')
  await bob.tab.isConnected('polling')
  await call(scene)
  await bob.tab.press('Hang up')
  await alice.tab.reads('The call is over.')
  await holdLogs(t, scene.alice, scene.bob)
})

t.test('both call each other at once, and one page is loaded again', async t => {
  const scene = await setScene(t, { engine: 'redis', nodes: 2 })
  const { alice, bob } = scene
  await Promise.all([alice.tab.isConnected('live'), bob.tab.isConnected('live')])
  bob.gate.holdStreams(true)
  await alice.tab.call('bob')
  await alice.tab.logs('POST calls')
  await bob.tab.call('alice')
  await bob.tab.logs('POST calls')
  bob.gate.holdStreams(false)
  await see(scene)
  await holdLogs(t, scene.alice, scene.bob)
  await alice.tab.page.reload()
  await alice.tab.reads('Whom do you want to call?')
  await bob.tab.reads('The call is over.')
})
