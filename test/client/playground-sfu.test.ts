// A room of the playground that moves to a media service and back.
import type { Locator } from 'playwright-core'
import t from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { mediaImpossible, startMediaExample } from '../helpers/media-example.js'
import { freePort } from '../helpers/redis.js'
import { openPlayground, seesPicture } from './playground-page.js'

const SECRET = 'a secret of the media service and of Signalpost'
const impossible = mediaImpossible()

t.test('a room is switched to sfu and back, and the pictures go on', { skip: impossible ?? false }, async t => {
  const browser = await launchChromium(t)
  const port = await freePort()
  const { page, url } = await openPlayground(t, browser, {
    MEDIA_SERVICE_URLS: `http://127.0.0.1:${port}`,
    MEDIA_SERVICE_SECRET: SECRET
  })
  await startMediaExample(t, { PORT: String(port), SIGNALPOST_URLS: url.slice(0, -1), MEDIA_SERVICE_SECRET: SECRET })
  await page.getByRole('tab', { name: 'Room' }).click()
  const [alice, bob] = ['alice', 'bob'].map(name => page.getByRole('region', { name })) as [Locator, Locator]
  await alice.getByRole('button', { name: 'Join' }).click()
  await alice.getByText('1 in the room, p2p').waitFor()
  await bob.getByRole('button', { name: 'Join' }).click()
  const seeEachOther = async () => {
    await seesPicture(alice, 'bob, as alice sees it')
    await seesPicture(bob, 'alice, as bob sees it')
  }
  await seeEachOther()
  for (const mode of ['sfu', 'p2p']) {
    await alice.getByRole('button', { name: `Switch to ${mode}` }).click()
    await bob.getByText(`2 in the room, ${mode}`).waitFor()
    await seeEachOther()
  }
  t.equal(await bob.getByRole('button', { name: /^Switch/ }).count(), 0, 'the host switches')
})
