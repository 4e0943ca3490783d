// A room of three pages in Chromium on two nodes: directly, through the media service of the examples, and back; and what is lost on the way.
import t, { type Test } from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { mediaImpossible, startMediaExample } from '../helpers/media-example.js'
import { freePort } from '../helpers/redis.js'
import { startServers } from '../helpers/servers.js'
import { BrowserUser, checkErrors } from './browser-user.js'
import { servePages } from './pages.js'

const SECRET = 'a secret of the media service and of Signalpost'

const origin = await servePages(t)
const browser = await launchChromium(t)
const impossible = mediaImpossible()

async function openRoom(t: Test) {
  const port = await freePort()
  const servers = await startServers(
    t,
    { engine: 'redis', nodes: 2 },
    {
      CORS_ORIGINS: origin,
      ROOM_RECONNECT_MS: '2000',
      RATE_LIMIT_SIGNALS: '1000',
      ...(impossible === null && { MEDIA_SERVICE_URLS: `http://127.0.0.1:${port}`, MEDIA_SERVICE_SECRET: SECRET })
    }
  )
  const urls = servers.map(({ url }) => url)
  const service =
    impossible === null
      ? await startMediaExample(t, { PORT: String(port), SIGNALPOST_URLS: urls.join(), MEDIA_SERVICE_SECRET: SECRET })
      : null
  const open = async (user: string, node: number) => {
    const context = await browser.newContext({ permissions: ['camera', 'microphone'] })
    t.teardown(() => context.close())
    return BrowserUser.open({ origin, url: urls[node] ?? '', user, page: await context.newPage() })
  }
  const users = { alice: await open('alice', 0), bob: await open('bob', 1), carol: await open('carol', 1) }
  return { users, service, all: Object.values(users) }
}

const room = await openRoom(t)
const { alice, bob, carol } = room.users
const names = Object.keys(room.users)

/** Each sees the cameras of all others. */
const seeAll = (...more: string[]) =>
  Promise.all(
    room.all.map((user, i) => {
      const own = names[i] ?? ''
      const pictures = [...names.filter(name => name !== own).map(name => `${name} camera`), ...more]
      return user.do('sees', ...pictures.filter(picture => !picture.startsWith(own)))
    })
  )

t.test('three see each other directly', async t => {
  await alice.do('join', 'standup')
  await Promise.all([bob.do('join', 'standup'), carol.do('join', 'standup')])
  await seeAll()
  t.same(await alice.run('[room.mode, room.role, room.participants.size]'), ['p2p', 'host', 3])
  const message = 'new Promise(resolve => room.once("message", ({ content }) => resolve(content)))'
  const read = bob.run(message)
  await alice.run('room.chat("Hello")')
  t.equal(await read, 'Hello')
  await checkErrors(t, ...room.all)
})

t.test('a screen is shown beside the camera until it is closed', async t => {
  await carol.do('share')
  await seeAll('carol screen')
  await carol.run('screenPublication.close()')
  await seeAll()
  await checkErrors(t, ...room.all)
})

t.test('a participant that was lost joins again by itself', async t => {
  const before = await bob.run('room.participantId')
  await bob.run('client.close()')
  await alice.do('logged', 'participant_left')
  await bob.run('client.connect()')
  await bob.do('logged', 'rejoined')
  t.not(await bob.run('room.participantId'), before)
  await seeAll()
})

if (impossible !== null) t.comment(`no media service here: ${impossible}`)
else t.test('through the media service', throughService)

async function throughService(t: Test): Promise<void> {
  await t.test('the host changes the mode while all are in: all keep their streams', async t => {
    const stream = await alice.do('streamOf', 'bob camera')
    await alice.run('room.setMode("sfu")')
    await Promise.all(room.all.map(user => user.until('room.mode === "sfu"')))
    await seeAll()
    t.equal(await alice.do('streamOf', 'bob camera'), stream)
    await checkErrors(t, ...room.all)
  })

  await t.test('an element that becomes larger gets a larger layer', async () => {
    await alice.until('sdk.widthOf("bob camera") === 320')
    await alice.do('resize', 'bob camera', 640)
    await alice.until('sdk.widthOf("bob camera") === 640')
  })

  await t.test('a publication is paused, and closed', async t => {
    const paused = bob.run('new Promise(resolve => room.once("paused", ({ by }) => resolve(by.user)))')
    await alice.run('[...room.publications].find(each => each.source === "video").pause()')
    t.equal(await paused, 'alice')
    await alice.run('[...room.publications].find(each => each.source === "video").resume()')
    await carol.do('share')
    await seeAll('carol screen')
    await carol.run('screenPublication.close()')
    await seeAll()
  })

  await t.test('the media worker is killed: all publish and receive again in the next session', async t => {
    process.kill(room.service?.workers().at(-1) ?? 0, 'SIGKILL')
    const isReset = 'new Promise(resolve => client.once("sfu.reset", resolve)).then(() => true)'
    t.ok(await alice.run(isReset))
    await seeAll()
    await checkErrors(t, ...room.all)
  })

  await t.test('and directly again', async t => {
    await alice.run('room.setMode("p2p")')
    await Promise.all(room.all.map(user => user.until('room.mode === "p2p"')))
    await seeAll()
    await checkErrors(t, ...room.all)
  })
}

t.test('a page that is closed leaves at once, and one that leaves sees no more', async t => {
  await carol.page.close({ runBeforeUnload: true })
  await Promise.all([alice.do('sees', 'bob camera'), bob.do('sees', 'alice camera')])
  await bob.run('room.leave()')
  await alice.do('sees')
  t.same(await bob.run('[client.rooms.size, room.isClosed]'), [0, true])
})
