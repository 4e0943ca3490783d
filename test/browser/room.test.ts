// The room page in three browsers, on two nodes: everybody sees everybody, whoever comes, drops off, is put out or goes.
import t, { type Test } from 'tap'
import { Client } from '../helpers/client.js'
import { startServers, tokenOf } from '../helpers/servers.js'
import { launchChromium } from './chromium.js'
import type { Gate } from './gate.js'
import { holdLogs, type Place, servePages, takePlace } from './pages.js'
import { RoomTab } from './room-tab.js'

const pages = await servePages(t)
const browser = await launchChromium(t)

const takeSeat = (t: Test, user: string, url: string | undefined, before = (_: Gate) => {}) =>
  takePlace(t, url, gate => {
    before(gate)
    return RoomTab.open(t, browser, `${pages.linkOf(user, '/room.html')}&server=${gate.url}`)
  })

/** Nor did anything fail. */
async function holdRoom(t: Test, ...places: readonly Place<RoomTab>[]): Promise<void> {
  await holdLogs(t, ...places)
  for (const { tab } of places) t.same(await tab.failures(), [])
}

t.test('three pages see two videos each, through two nodes and a proxy that holds streams back', async t => {
  const env = { CORS_ORIGINS: pages.origin, ROOM_RECONNECT_MS: '30000' }
  const [one, two] = await startServers(t, { engine: 'redis', nodes: 2 }, env)
  const alice = await takeSeat(t, 'alice', one?.url)
  await alice.tab.reads('You are in standup.')
  const [bob, carol] = await Promise.all([
    takeSeat(t, 'bob', two?.url),
    takeSeat(t, 'carol', two?.url, gate => gate.holdStreams(true))
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
  t.equal(await alice.tab.participantOf('bob'), id, 'he is the participant he was')
  const everybody = [alice, bob, carol].map(({ tab }) => tab)
  await Promise.all(everybody.map(tab => tab.hasRead('alice: Where is bob?', 'carol: He will be back.')))
  await Promise.all(everybody.map(tab => tab.writes('There he is.')))
  await Promise.all(everybody.map(tab => tab.hasLines(5)))
  const lines = await alice.tab.lines()
  t.same(
    lines.slice(2).sort(),
    ['alice', 'bob', 'carol'].map(user => `${user}: There he is.`)
  )
  for (const tab of everybody) t.same(await tab.lines(), lines, 'all read the same, in the same order')

  await alice.tab.press('Remove carol')
  await carol.tab.reads('alice has put you out.')
  await Promise.all([alice.tab.sees('bob'), bob.tab.sees('alice'), carol.tab.sees()])
  await bob.tab.press('Leave')
  await alice.tab.sees()
  await holdRoom(t, alice, bob, carol)
})

async function bothIn(t: Test, env: Record<string, string>) {
  const [server] = await startServers(t, { engine: 'memory' }, { CORS_ORIGINS: pages.origin, ...env })
  const alice = await takeSeat(t, 'alice', server?.url)
  await alice.tab.reads('You are in standup.')
  const bob = await takeSeat(t, 'bob', server?.url)
  await seeEachOther(alice, bob)
  return { url: server?.url ?? '', alice, bob }
}

const seeEachOther = (alice: Place<RoomTab>, bob: Place<RoomTab>) =>
  Promise.all([alice.tab.sees('bob'), bob.tab.sees('alice')])

t.test('two pages, of which the second came later', async t => {
  const env = { ROOM_RECONNECT_MS: '30000', MAILBOX_MAX_EVENTS: '30', RATE_LIMIT_SIGNALS: '1000' }
  const { url, alice, bob } = await bothIn(t, env)
  const token = await tokenOf('alice')

  await t.test('offers that cross: the later one gives way, and then has his turn', async t => {
    const ufrag = await bob.tab.ufrag()
    bob.gate.holdStreams(true)
    await alice.tab.wantsMore()
    await alice.tab.logs('POST offer')
    const refusal = bob.tab.page.waitForResponse(reply => reply.url().endsWith('/offer') && reply.status() === 409)
    await bob.tab.restartIce()
    t.match(await (await refusal).json(), { code: 'offer_collision', polite: true })
    bob.gate.holdStreams(false)
    await bob.tab.logs('POST offer', 2)
    await bob.tab.logs('signal.answer', 2)
    t.not(await bob.tab.ufrag(), ufrag)
    await seeEachOther(alice, bob)
    await holdRoom(t, alice, bob)
  })

  await t.test('who has missed more than is kept for them takes part anew', async t => {
    const before = await alice.tab.participantOf('bob')
    bob.gate.cut()
    await alice.tab.seesAway('bob', true)
    const atAlice = new Client(url, { token, device: await alice.tab.device() })
    // Mailboxes are trimmed when there is a good deal to trim.
    for (let n = 1; n <= 100; n++) await atAlice.post('/rooms/standup/messages', { content: `line ${n}` })
    bob.gate.leadTo(url)
    await bob.tab.logs('reset')
    await bob.tab.hasRead('alice: line 99', 'alice: line 100')
    await alice.tab.logs('room.participant_joined', 2)
    await seeEachOther(alice, bob)
    t.not(await alice.tab.participantOf('bob'), before)
  })

  await t.test('a page that is loaded again is where it was', async t => {
    const before = await bob.tab.participantOf('alice')
    await alice.tab.page.reload()
    await bob.tab.logs('room.participant_joined')
    await seeEachOther(alice, bob)
    await alice.tab.hasRead('alice: line 100')
    t.not(await bob.tab.participantOf('alice'), before)
  })

  await t.test('what was meant for the page before is not taken for its own', async t => {
    // Without a word to the server: as far as it knows he is in, and alice goes on negotiating with him.
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

  await t.test('the room is closed from elsewhere', async t => {
    const headers = { authorization: `Bearer ${token}`, 'x-device-id': 'desk' }
    await fetch(`${url}/v1/rooms/standup`, { method: 'DELETE', headers })
    await Promise.all([alice, bob].map(({ tab }) => tab.reads('alice has closed the room.')))
    for (const { tab } of [alice, bob]) t.same([await tab.failures(), tab.faults], [[], []])
  })
})

t.test('who was away for too long, and who goes away', async t => {
  const { url, alice, bob } = await bothIn(t, { ROOM_RECONNECT_MS: '1000', RATE_LIMIT_SIGNALS: '1' })

  await t.test('the first is in again as soon as the network is, though it says more than it may at once', async t => {
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
    await holdRoom(t, alice, bob)
  })

  await t.test('the second is signed in on the other page too, and has left the room at once', async () => {
    await alice.tab.page.getByRole('link', { name: 'A call of two' }).click()
    await Promise.all([alice.tab.reads('You are alice.'), bob.tab.reads('alice has left.'), bob.tab.sees()])
  })
})
