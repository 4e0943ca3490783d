// A call between two browsers, with real video. The servers have another origin than the pages, and the network breaks.
import t, { type Test } from 'tap'
import { type Layout, type Server, startServers } from '../helpers/servers.js'
import { CallTab } from './call-tab.js'
import { launchChromium } from './chromium.js'
import { type ConnectedTab, checkLogs, openTab, servePages } from './pages.js'

interface CallScenario {
  readonly servers: readonly Server[]
  readonly alice: ConnectedTab<CallTab>
  readonly bob: ConnectedTab<CallTab>
}

const pages = await servePages(t)
const browser = await launchChromium(t)

/** alice uses the first node, bob the last one. */
async function openScenario(t: Test, layout: Layout): Promise<CallScenario> {
  const servers = await startServers(t, layout, { CORS_ORIGINS: pages.origin })
  const open = (user: string, server: Server | undefined) =>
    openTab(t, server?.url, gate => CallTab.open(t, browser, `${pages.linkOf(user, '/')}&server=${gate.url}`))
  return { servers, alice: await open('alice', servers[0]), bob: await open('bob', servers.at(-1)) }
}

async function call({ alice, bob }: CallScenario): Promise<void> {
  await alice.tab.call('bob')
  await bob.tab.press('Answer')
  await seeEachOther({ alice, bob })
}

async function seeEachOther({ alice, bob }: Pick<CallScenario, 'alice' | 'bob'>): Promise<void> {
  await Promise.all([alice.tab.reads('You are talking with bob.'), bob.tab.reads('You are talking with alice.')])
  await Promise.all([alice.tab.seesVideo(), bob.tab.seesVideo()])
}

t.test('a video call over two nodes goes on when one of them is closed', async t => {
  const scenario = await openScenario(t, { engine: 'redis', nodes: 2 })
  const { servers, alice, bob } = scenario
  await Promise.all([alice.tab.isConnected('live'), bob.tab.isConnected('live')])
  await call(scenario)

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
    `the stream has resumed after ${lastId}`
  )

  await bob.tab.logs('signal.answer')
  await bob.tab.press('Hold')
  await seeEachOther(scenario)
  await alice.tab.press('Hang up')
  await bob.tab.reads('The call is over.')
  await checkLogs(t, scenario.alice, scenario.bob)
})

t.test('when two offers cross, the second side answers first and then offers again', async t => {
  const scenario = await openScenario(t, { engine: 'memory' })
  const { alice, bob } = scenario
  await call(scenario)
  const ufrag = await bob.tab.ufrag()

  bob.gate.bufferStreams(true)
  await alice.tab.press('Hold')
  await alice.tab.logs('POST offer')
  const refusal = bob.tab.page.waitForResponse(reply => reply.url().endsWith('/offer') && reply.status() === 409)
  await bob.tab.restartIce()
  t.match(await (await refusal).json(), { code: 'offer_collision', pendingFrom: 'caller' })
  bob.gate.bufferStreams(false)
  await bob.tab.logs('POST answer')
  await bob.tab.logs('signal.answer')
  t.not(await bob.tab.ufrag(), ufrag, 'it offered again')

  await alice.tab.press('Hold')
  await seeEachOther(scenario)
  await checkLogs(t, scenario.alice, scenario.bob)
})

t.test('a page behind a proxy that buffers streams polls', async t => {
  const scenario = await openScenario(t, { engine: 'memory' })
  const { alice, bob } = scenario
  bob.gate.cut()
  bob.gate.bufferStreams(true)
  bob.gate.leadTo(scenario.servers[0]?.url ?? '')
  await bob.tab.isConnected('polling')
  await call(scenario)
  await bob.tab.press('Hang up')
  await alice.tab.reads('The call is over.')
  await checkLogs(t, scenario.alice, scenario.bob)
})

t.test('two users who call each other at once are in one call, which ends when one page is reloaded', async t => {
  const scenario = await openScenario(t, { engine: 'redis', nodes: 2 })
  const { alice, bob } = scenario
  await Promise.all([alice.tab.isConnected('live'), bob.tab.isConnected('live')])
  bob.gate.bufferStreams(true)
  await alice.tab.call('bob')
  await alice.tab.logs('POST calls')
  await bob.tab.call('alice')
  await bob.tab.logs('POST calls')
  bob.gate.bufferStreams(false)
  await seeEachOther(scenario)
  await checkLogs(t, scenario.alice, scenario.bob)
  await alice.tab.page.reload()
  await alice.tab.reads('Whom do you want to call?')
  await bob.tab.reads('The call is over.')
})
