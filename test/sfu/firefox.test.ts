// The room page in Firefox and in Chromium, in one room with a media service.
import { networkInterfaces } from 'node:os'
import t, { type Test } from 'tap'
import { mediaImpossible } from '../helpers/media-example.js'
import { Conference } from './conference.js'

const impossible = mediaImpossible()
if (impossible !== null) t.pass(`no worker here: ${impossible}`)
else await t.test('Firefox and Chromium see each other through the media service', meet)

/** Firefox has no candidate on the loopback interface, so the media service must listen on another one. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  const found = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)
  if (found === undefined) throw new Error('Firefox needs a network interface besides the loopback interface')
  return found.address
}

async function meet(t: Test): Promise<void> {
  const room = await Conference.open(t, { listenIp: ownAddress() })
  const { tab: chromium } = await room.join('alice', 0)
  await chromium.reads('You are in standup.')
  await chromium.press('Media service')
  await chromium.hasMode('sfu')
  const firefox = await room.joinWithFirefox('bob', 1)
  await firefox.reads('You are in standup.')
  await Promise.all([chromium.receives(['bob']), firefox.receives('alice')])
  t.match(await firefox.pictures(), { alice: { width: Number } })
  t.strictSame([...(await room.failures()), ...(await firefox.failures())], [])

  await t.test('they go on directly, and return to the media service', async t => {
    for (const mode of ['p2p', 'sfu']) {
      const before = await chromium.pictures()
      await chromium.press('Media service')
      await chromium.hasMode(mode)
      await Promise.all([chromium.receives(['bob'], before), firefox.receives('alice')])
    }
    t.strictSame([...(await room.failures()), ...(await firefox.failures())], [])
  })

  await t.test('a moderator mutes the other one, and stops its picture', async t => {
    await chromium.press('Mute bob')
    await firefox.reads('alice has muted you.')
    await chromium.press('Stop the camera of bob')
    await firefox.reads('alice has stopped your video.')
    await chromium.showsNoPath('bob you camera')
    await chromium.showsPath('bob you microphone', 'paused')
    t.strictSame([...(await room.failures()), ...(await firefox.failures())], [])
  })
}
