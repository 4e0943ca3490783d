// A call with cameras between Firefox and Chromium, on two nodes.
import t from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { launchFirefox } from '../browser/firefox.js'
import { startServers } from '../helpers/servers.js'
import { BrowserUser, checkErrors } from './browser-user.js'
import { servePages } from './pages.js'

const origin = await servePages(t)
const [one, two] = await startServers(t, { engine: 'redis', nodes: 2 }, { CORS_ORIGINS: origin })
const chromium = await launchChromium(t)
const firefox = await launchFirefox(t)
const context = await chromium.newContext({ permissions: ['camera', 'microphone'] })
const alice = await BrowserUser.open({ origin, url: one?.url ?? '', user: 'alice', page: await firefox.newPage() })
const bob = await BrowserUser.open({ origin, url: two?.url ?? '', user: 'bob', page: await context.newPage() })
const both = [alice, bob]

const seeEachOther = () => Promise.all(both.map(each => each.do('seesMoreFrames')))

const UFRAG = 'call.peerConnection.localDescription.sdp.match(/ice-ufrag:(.*)/)[1]'

const STATS = 'import("/client/stats.js").then(async ({ statsOf }) => statsOf(await call.peerConnection.getStats()))'

async function restartIce(user: BrowserUser): Promise<void> {
  const before = await Promise.all(both.map(each => each.run(UFRAG)))
  await user.run('void call.peerConnection.restartIce()')
  const isDone = (ufrag: unknown) =>
    `${UFRAG} !== ${JSON.stringify(ufrag)} && call.peerConnection.signalingState === "stable"`
  await Promise.all(both.map((each, i) => each.until(isDone(before[i]))))
}

for (const [caller, callee, user] of [
  [alice, bob, 'bob'],
  [bob, alice, 'alice']
] as const) {
  t.test(`a call to ${user}, with ICE restarts, a hold and changes from both sides`, async t => {
    await caller.do('call', user)
    await Promise.all(both.map(each => each.until('globalThis.call?.state === "connected"')))
    await seeEachOther()
    for (const each of both) t.match(await each.run(STATS), { candidatePair: {}, protocol: 'udp', rttMs: Number })

    for (const each of [callee, caller, caller, callee]) {
      await restartIce(each)
      await seeEachOther()
    }

    const add = 'void call.peerConnection.addTransceiver("video")'
    await Promise.all(both.map(each => each.run(add)))
    const agreed = 'call.peerConnection.getTransceivers().filter(each => each.currentDirection).length === 4'
    await Promise.all(both.map(each => each.until(agreed)))
    await seeEachOther()

    await caller.run('call.hold(true)')
    await callee.until('call.held.remote')
    await caller.run('call.hold(false)')
    await callee.until('!call.held.remote')
    await seeEachOther()

    await callee.run('call.hangup()')
    await caller.until('call.reason === "hangup"')
    await checkErrors(t, ...both)
  })
}

t.test('a room of the two', async t => {
  await alice.do('join', 'standup')
  await bob.do('join', 'standup')
  await Promise.all([alice.do('sees', 'bob camera'), bob.do('sees', 'alice camera')])
  await alice.do('share')
  await bob.do('sees', 'alice camera', 'alice screen')
  await alice.run('screenPublication.close()')
  await bob.do('sees', 'alice camera')
  await checkErrors(t, ...both)
})
