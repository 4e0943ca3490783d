// Transfers with cameras, in the published bundle: between pages of Chromium, and with Firefox as the party that stays, and as the target.
import t, { type Test } from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { launchFirefox } from '../browser/firefox.js'
import { startServers } from '../helpers/servers.js'
import { type BrowserPage, BrowserUser, checkErrors } from './browser-user.js'
import { servePages } from './pages.js'

const origin = await servePages(t)
const servers = await startServers(t, { engine: 'redis', nodes: 2 }, { CORS_ORIGINS: origin })
const context = await (await launchChromium(t)).newContext({ permissions: ['camera', 'microphone'] })
const firefox = await launchFirefox(t)

const pages = {
  chromium: (): Promise<BrowserPage> => context.newPage(),
  firefox: (): Promise<BrowserPage> => firefox.newPage()
}
type Browser = keyof typeof pages

/** Each has a connection to the next node. Carol answers by hand. */
const openUsers = (t: Test, browsers: readonly Browser[], group: number) =>
  Promise.all(
    ['alice', 'bob', 'carol'].map(async (name, i) => {
      const url = servers[i % servers.length]?.url ?? ''
      const page = await pages[browsers[i] ?? 'chromium']()
      // A browser has 6 connections to a server, and each page needs one for its stream.
      t.teardown(() => page.close())
      return BrowserUser.open({ origin, url, user: `${name}${group}`, page }, { answers: name !== 'carol' })
    })
  ) as Promise<[BrowserUser, BrowserUser, BrowserUser]>

const areConnected = (...users: readonly BrowserUser[]) =>
  Promise.all(users.map(each => each.until('call.state === "connected"')))
const seeEachOther = (...users: readonly BrowserUser[]) => Promise.all(users.map(each => each.do('seesMoreFrames')))

/** Alice sends another picture than her camera, as after a change of the camera. */
const CHANGE_PICTURE = `(async () => {
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d')
  setInterval(() => context.fillRect(Math.random() * 100, 0, 10, 10), 100)
  globalThis.picture = canvas.captureStream(10).getVideoTracks()[0]
  globalThis.stream = call.remoteStream
  await call.peerConnection.getSenders().find(({ track }) => track.kind === 'video').replaceTrack(picture)
})()`

/** Bob transfers alice to carol, in vain and then with success; carol asks bob, and gives alice back to him. */
async function transfers(
  t: Test,
  [alice, bob, carol]: readonly [BrowserUser, BrowserUser, BrowserUser],
  group: number
) {
  const beginTransfer = async () => {
    await bob.run(`void await call.transfer({ to: 'carol${group}' })`)
    await carol.until('globalThis.call?.state === "ringing"')
    t.same(await carol.run('[call.peer.user, call.transferredBy.user]'), [`alice${group}`, `bob${group}`])
  }
  await alice.do('call', `bob${group}`)
  await bob.until('globalThis.call?.state === "connected"')
  await areConnected(alice)
  await seeEachOther(alice, bob)

  await beginTransfer()
  await carol.run('call.reject()')
  await Promise.all([alice, bob].map(each => each.do('logged', 'transfer_failed')))
  await seeEachOther(alice, bob)

  await beginTransfer()
  await bob.run('call.cancelTransfer()')
  await carol.until('call.reason === "cancelled"')
  await Promise.all([alice, bob].map(each => each.do('logged', 'transfer_failed', 2)))
  await seeEachOther(alice, bob)

  await alice.run(CHANGE_PICTURE)
  await bob.run('call.hold(true)')
  await alice.until('call.held.remote')
  await beginTransfer()
  await carol.run('call.accept({ media: await sdk.camera() })')
  await bob.until('call.reason === "transferred"')
  await alice.do('logged', 'transferred')
  await areConnected(alice, carol)
  await seeEachOther(alice, carol)
  t.same(await alice.run('call.held'), { local: false, remote: false })
  t.equal(await alice.run('call.remoteStream === stream && stream.getTracks().length'), 2)
  t.ok(await alice.run('call.peerConnection.getSenders().some(({ track }) => track === picture)'))

  await carol.run(`void (globalThis.second = await client.call('bob${group}', { consultationOf: call.id, media }))`)
  await carol.until('second.state === "connected"')
  await carol.run('void await call.transfer({ toCall: second.id })')
  await carol.until('call.reason === "transferred" && second.reason === "transferred"')
  await bob.until(`call.replaces && call.state === "connected"`)
  await areConnected(alice)
  await seeEachOther(alice, bob)
  t.equal(await alice.run('call.peer.user'), `bob${group}`)
  await alice.run('call.hangup()')
  await bob.until('call.reason === "hangup"')
  await checkErrors(t, alice, bob, carol)
}

const GROUPS: readonly (readonly Browser[])[] = [
  ['chromium', 'chromium', 'chromium'],
  ['firefox', 'chromium', 'chromium'],
  ['chromium', 'chromium', 'firefox']
]

for (const [group, browsers] of GROUPS.entries()) {
  t.test(`${browsers.join(', ')}: alice is transferred, and after a consultation once more`, async t =>
    transfers(t, await openUsers(t, browsers, group), group)
  )
}
