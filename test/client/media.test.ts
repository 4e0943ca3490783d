// Calls with cameras between pages in Chromium, on two nodes.
import t, { type Test } from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { startServers } from '../helpers/servers.js'
import { BrowserUser, checkErrors } from './browser-user.js'
import { servePages } from './pages.js'

const origin = await servePages(t)
const browser = await launchChromium(t)

async function openBoth(t: Test, options: object = {}) {
  const servers = await startServers(t, { engine: 'redis', nodes: 2 }, { CORS_ORIGINS: origin })
  const open = async (user: string, node: number) => {
    const context = await browser.newContext({ permissions: ['camera', 'microphone'] })
    t.teardown(() => context.close())
    return BrowserUser.open({ origin, url: servers[node]?.url ?? '', user, page: await context.newPage() }, options)
  }
  return { alice: await open('alice', 0), bob: await open('bob', 1) }
}

type Both = Awaited<ReturnType<typeof openBoth>>

const seeEachOther = ({ alice, bob }: Both) => Promise.all([alice, bob].map(each => each.do('seesMoreFrames')))

async function callEachOther(t: Test, options: object = {}): Promise<Both> {
  const both = await openBoth(t, options)
  await both.alice.do('call', 'bob')
  await Promise.all([both.alice, both.bob].map(each => each.do('logged', 'connected')))
  await seeEachOther(both)
  return both
}

t.test('a call has pictures both ways, through holds, renegotiations and ICE restarts', async t => {
  const both = await callEachOther(t)
  const { alice, bob } = both

  await alice.run('call.hold(true)')
  await bob.until(
    'call.held.remote && call.peerConnection.getTransceivers().every(each => each.currentDirection === "inactive")'
  )
  await alice.run('call.hold(false)')
  await bob.until('!call.held.remote')
  await seeEachOther(both)

  const add = 'void call.peerConnection.addTransceiver("video")'
  await Promise.all([alice.run(add), bob.run(add)])
  const agreed = 'call.peerConnection.getTransceivers().filter(each => each.currentDirection).length === 4'
  await Promise.all([alice.until(agreed), bob.until(agreed)])

  const ufrag = 'call.peerConnection.localDescription.sdp.match(/ice-ufrag:(.*)/)[1]'
  const before = await bob.run(ufrag)
  await bob.run('void dispatchEvent(new Event("online"))')
  await bob.until(`${ufrag} !== ${JSON.stringify(before)} && call.peerConnection.signalingState === "stable"`)
  await seeEachOther(both)

  await bob.run('call.hangup()')
  await alice.do('logged', 'ended')
  t.equal(await alice.run('call.reason'), 'hangup')
  await checkErrors(t, alice, bob)
})

t.test('two users who call each other at once see each other', async t => {
  const both = await openBoth(t, { answers: false })
  await Promise.all([both.alice.do('camera'), both.bob.do('camera')])
  await Promise.all([both.alice.do('call', 'bob'), both.bob.do('call', 'alice')])
  await seeEachOther(both)
  t.equal(await both.alice.run('call.id'), await both.bob.run('call.id'))
  await checkErrors(t, both.alice, both.bob)
})

t.test('a call ends at once when one page is closed', async t => {
  const { alice, bob } = await callEachOther(t)
  await bob.page.close({ runBeforeUnload: true })
  await alice.do('logged', 'ended')
  t.equal(await alice.run('call.reason'), 'hangup')
})

t.test('a page that is reloaded resumes its call, and the other side keeps its stream', async t => {
  const both = await callEachOther(t, { resumes: true })
  const stream = await both.alice.run('call.remoteStream.id')
  await both.bob.reload({ resumes: true })
  await both.bob.until('globalThis.call?.peerConnection?.connectionState === "connected"')
  await seeEachOther(both)
  t.equal(await both.alice.run('call.remoteStream.id'), stream)
  t.equal(await both.alice.run('call.remoteStream.getTracks().length'), 2)
})

t.test('all tabs ring, and when one has answered it ends in the others', async t => {
  const [server] = await startServers(t, { engine: 'memory' }, { CORS_ORIGINS: origin })
  const url = server?.url ?? ''
  const open = async (user: string, count: number) => {
    const context = await browser.newContext({ permissions: ['camera', 'microphone'] })
    t.teardown(() => context.close())
    const pages = await Promise.all(Array.from({ length: count }, () => context.newPage()))
    return Promise.all(pages.map(page => BrowserUser.open({ origin, url, user, page }, { answers: false })))
  }
  const [[alice], bobs] = await Promise.all([open('alice', 1), open('bob', 2)])
  await alice?.do('call', 'bob')
  await Promise.all(bobs.map(each => each.until('globalThis.call')))
  await bobs[1]?.run('call.accept({ media: await sdk.camera() })')
  await bobs[0]?.until('call.reason === "answered_elsewhere"')
  await bobs[1]?.do('seesMoreFrames')
  await bobs[0]?.reload()
  t.equal(await bobs[1]?.run('call.state'), 'connected', 'the new page of the other tab does not end the call')
  await alice?.run('call.hangup()')
  await bobs[1]?.until('call.reason === "hangup"')
})
