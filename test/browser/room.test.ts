// The room page in three browsers, on two nodes: users see each other while others join, disconnect, are removed and leave.
import t, { type Test } from 'tap'
import { Client } from '../helpers/client.js'
import { startServers, tokenOf } from '../helpers/servers.js'
import { launchChromium } from './chromium.js'
import type { Gate } from './gate.js'
import { type ConnectedTab, checkLogs, openTab, servePages } from './pages.js'
import { RoomTab } from './room-tab.js'

const pages = await servePages(t)
const browser = await launchChromium(t)

const openRoom = (t: Test, user: string, url: string | undefined, before = (_: Gate) => {}) =>
  openTab(t, url, gate => {
    before(gate)
    return RoomTab.open(t, browser, `${pages.linkOf(user, '/room.html')}&server=${gate.url}`)
  })

/** As checkLogs, and no log has an error. */
async function checkRoom(t: Test, ...tabs: readonly ConnectedTab<RoomTab>[]): Promise<void> {
  await checkLogs(t, ...tabs)
  for (const { tab } of tabs) t.same(await tab.failures(), [])
}

t.test('three pages on two nodes see two videos each, one of them behind a proxy that buffers streams', async t => {
  const env = { CORS_ORIGINS: pages.origin, ROOM_RECONNECT_MS: '30000' }
  const [one, two] = await startServers(t, { engine: 'redis', nodes: 2 }, env)
  const alice = await openRoom(t, 'alice', one?.url)
  await alice.tab.reads('You are in standup.')
  const [bob, carol] = await Promise.all([
    openRoom(t, 'bob', two?.url),
    openRoom(t, 'carol', two?.url, gate => gate.bufferStreams(true))
  ])
  await Promise.all([
    alice.tab.sees('bob', 'carol'),
    bob.tab.sees('alice', 'carol'),
    carol.tab.sees('alice', 'bob'),
    carol.tab.isConnected('polling')
  ])

  await bob.tab.isConnected('live')
  const id = await alice.tab.participantOf('bob')
  bob.gate.cut()
  await Promise.all([alice.tab.seesAway('bob', true), carol.tab.seesAway('bob', true)])
  await alice.tab.writes('Where is bob?')
  await carol.tab.hasRead('alice: Where is bob?')
  await carol.tab.writes('He will be back.')
  await Promise.all([alice.tab.sees('bob', 'carol'), bob.tab.sees('alice', 'carol')])
  bob.gate.leadTo(one?.url ?? '')
  await Promise.all([alice.tab.seesAway('bob', false), carol.tab.seesAway('bob', false)])
  t.equal(await alice.tab.participantOf('bob'), id, 'he is the same participant')
  const tabs = [alice, bob, carol].map(({ tab }) => tab)
  await Promise.all(tabs.map(tab => tab.hasRead('alice: Where is bob?', 'carol: He will be back.')))
  await Promise.all(tabs.map(tab => tab.writes('There he is.')))
  await Promise.all(tabs.map(tab => tab.hasLines(5)))
  const lines = await alice.tab.lines()
  t.same(
    lines.slice(2).sort(),
    ['alice', 'bob', 'carol'].map(user => `${user}: There he is.`)
  )
  for (const tab of tabs) t.same(await tab.lines(), lines, 'all pages show the same messages in the same order')

  await alice.tab.press('Remove carol')
  await carol.tab.reads('alice has removed you.')
  await Promise.all([alice.tab.sees('bob'), bob.tab.sees('alice'), carol.tab.sees()])
  await bob.tab.press('Leave')
  await alice.tab.sees()
  await checkRoom(t, alice, bob, carol)
})

async function bothIn(t: Test, env: Record<string, string>) {
  const [server] = await startServers(t, { engine: 'memory' }, { CORS_ORIGINS: pages.origin, ...env })
  const alice = await openRoom(t, 'alice', server?.url)
  await alice.tab.reads('You are in standup.')
  const bob = await openRoom(t, 'bob', server?.url)
  await seeEachOther(alice, bob)
  return { url: server?.url ?? '', alice, bob }
}

const seeEachOther = (alice: ConnectedTab<RoomTab>, bob: ConnectedTab<RoomTab>) =>
  Promise.all([alice.tab.sees('bob'), bob.tab.sees('alice')])

t.test('two pages in a room, the second of which joined later', async t => {
  const env = { ROOM_RECONNECT_MS: '30000', MAILBOX_MAX_EVENTS: '30', RATE_LIMIT_SIGNALS: '1000' }
  const { url, alice, bob } = await bothIn(t, env)
  const token = await tokenOf('alice')

  await t.test('when offers cross, the later participant answers first and then offers again', async t => {
    const ufrag = await bob.tab.ufrag()
    bob.gate.bufferStreams(true)
    await alice.tab.addTransceiver()
    await alice.tab.logs('POST offer')
    const refusal = bob.tab.page.waitForResponse(reply => reply.url().endsWith('/offer') && reply.status() === 409)
    await bob.tab.restartIce()
    t.match(await (await refusal).json(), { code: 'offer_collision', polite: true })
    bob.gate.bufferStreams(false)
    await bob.tab.logs('POST offer', 2)
    await bob.tab.logs('signal.answer', 2)
    t.not(await bob.tab.ufrag(), ufrag)
    await seeEachOther(alice, bob)
    await checkRoom(t, alice, bob)
  })

  await t.test('a page that has missed more events than its mailbox keeps joins again', async t => {
    const before = await alice.tab.participantOf('bob')
    bob.gate.cut()
    await alice.tab.seesAway('bob', true)
    const atAlice = new Client(url, { token, device: await alice.tab.device() })
    // More than MAILBOX_MAX_EVENTS, because Redis trims mailboxes approximately.
    for (let n = 1; n <= 100; n++) await atAlice.post('/rooms/standup/messages', { content: `line ${n}` })
    bob.gate.leadTo(url)
    await bob.tab.logs('reset')
    await bob.tab.hasRead('alice: line 99', 'alice: line 100')
    await alice.tab.logs('room.participant_joined', 2)
    await seeEachOther(alice, bob)
    t.not(await alice.tab.participantOf('bob'), before)
  })

  await t.test('a page that is reloaded joins its room again', async t => {
    const before = await bob.tab.participantOf('alice')
    await alice.tab.page.reload()
    await bob.tab.logs('room.participant_joined')
    await seeEachOther(alice, bob)
    await alice.tab.hasRead('alice: line 100')
    t.not(await bob.tab.participantOf('alice'), before)
  })

  await t.test('a reloaded page ignores signals for its earlier participant', async t => {
    // The server does not notice the reload: bob is still in the room, and alice goes on negotiating with him.
    bob.gate.cut()
    const letJoin = await bob.tab.holdsBack('**/participants')
    const joins = bob.tab.page.waitForRequest('**/participants')
    await bob.tab.page.reload()
    bob.gate.leadTo(url)
    await Promise.all([joins, bob.tab.isConnected('live')])
    await alice.tab.restartIce()
    await bob.tab.logs('signal.offer')
    letJoin()
    await alice.tab.logs('room.participant_left')
    await seeEachOther(alice, bob)
    t.same(await bob.tab.failures(), [])
  })

  await t.test('another device closes the room', async t => {
    const headers = { authorization: `Bearer ${token}`, 'x-device-id': 'desk' }
    await fetch(`${url}/v1/rooms/standup`, { method: 'DELETE', headers })
    await Promise.all([alice, bob].map(({ tab }) => tab.reads('alice has closed the room.')))
    for (const { tab } of [alice, bob]) t.same([await tab.failures(), tab.faults], [[], []])
  })
})

t.test('two pages in a room, one of which is away for too long and one leaves', async t => {
  const { url, alice, bob } = await bothIn(t, { ROOM_RECONNECT_MS: '1000', RATE_LIMIT_SIGNALS: '1' })

  await t.test(
    'a page that was away for too long joins again, although some of its requests are rate limited',
    async t => {
      const before = await alice.tab.participantOf('bob')
      let refused = 0
      bob.tab.page.on('response', reply => {
        if (reply.status() === 429) refused++
      })
      bob.gate.cut()
      await Promise.all([alice.tab.sees(), alice.tab.reads('bob was away for too long.')])
      bob.gate.leadTo(url)
      await seeEachOther(alice, bob)
      t.not(await alice.tab.participantOf('bob'), before)
      t.ok(refused > 0)
      await checkRoom(t, alice, bob)
    }
  )

  await t.test('a user who changes to the call page stays signed in and leaves the room at once', async () => {
    await alice.tab.page.getByRole('link', { name: 'A call of two' }).click()
    await Promise.all([alice.tab.reads('You are alice.'), bob.tab.reads('alice has left.'), bob.tab.sees()])
  })
})
