// The room page in three browsers, on two nodes: everybody sees everybody, whoever comes, drops off, is put out or goes.
import t, { type Test } from 'tap'
import { startServers } from '../helpers/servers.js'
import { launchChromium } from './chromium.js'
import type { Gate } from './gate.js'
import { holdLogs, servePages, takePlace } from './pages.js'
import { RoomTab } from './room-tab.js'

const pages = await servePages(t)
const browser = await launchChromium(t)

const takeSeat = (t: Test, user: string, url: string | undefined, before = (_: Gate) => {}) =>
  takePlace(t, url, gate => {
    before(gate)
    return RoomTab.open(t, browser, `${pages.linkOf(user, '/room.html')}&server=${gate.url}`)
  })

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
  await carol.tab.writes('He will be back.')
  await Promise.all([alice.tab.sees('bob', 'carol'), bob.tab.sees('alice', 'carol')])
  bob.gate.leadTo(one?.url ?? '')
  await Promise.all([alice.tab.seesAway('bob', false), carol.tab.seesAway('bob', false)])
  t.equal(await alice.tab.participantOf('bob'), id, 'he is the participant he was')
  await bob.tab.writes('Here.')

  const lines = ['alice: Where is bob?', 'carol: He will be back.', 'bob: Here.']
  await Promise.all([alice, bob, carol].map(({ tab }) => tab.hasRead('bob: Here.')))
  for (const { tab } of [alice, bob, carol]) t.same(await tab.lines(), lines)

  await alice.tab.press('Remove carol')
  await carol.tab.reads('alice has put you out.')
  await Promise.all([alice.tab.sees('bob'), bob.tab.sees('alice'), carol.tab.sees()])
  await bob.tab.press('Leave')
  await alice.tab.sees()
  await holdLogs(t, alice, bob, carol)
})
