// Two pages in a room with a media service: what a host does with what the other one sends. Apart from the conference of four, because each
// more page takes half a core.
import t, { type Test } from 'tap'
import { mediaImpossible } from '../helpers/media-example.js'
import { Conference } from './conference.js'

const impossible = mediaImpossible()
if (impossible !== null) t.pass(`no worker here: ${impossible}`)
else await t.test('a host and a participant', moderate)

async function moderate(t: Test): Promise<void> {
  const room = await Conference.open(t)
  const { tab: alice } = await room.join('alice', 0)
  await alice.reads('You are in standup.')
  await alice.press('Media service')
  const { tab: bob } = await room.join('bob', 1)
  await room.all((tab, others) => tab.receives(others))

  await t.test('a participant who was muted alone can undo it', async t => {
    await alice.press('Mute bob')
    await bob.reads('alice has muted you.')
    await alice.showsPath('bob you microphone', 'paused')
    await bob.press('Mute')
    await alice.showsPath('bob you microphone', 'kbit/s')
    t.strictSame(await room.failures(), [])
  })

  await t.test('a screen comes with its sound, until the host stops it', async t => {
    await bob.press('Share screen')
    for (const what of ['screen', 'sound of the screen']) await alice.showsPath(`bob you ${what}`, 'kbit/s')
    await alice.playsScreen('bob')
    await alice.press('Stop the screen of bob')
    await bob.reads('alice has stopped your screen.')
    await alice.hasNoScreen()
    for (const what of ['screen', 'sound of the screen']) {
      await alice.showsNoPath(`bob you ${what}`)
      await bob.showsNoPath(`you media service ${what}`)
    }
    await bob.press('Share screen')
    await alice.playsScreen('bob')
    t.strictSame(await room.failures(), [])
  })

  await t.test('a camera that the host stops stays away when all move to the next session', async t => {
    await alice.press('Stop the camera of bob')
    await bob.reads('alice has stopped your video.')
    await alice.showsNoPath('bob you camera')
    process.kill((await room.serviceOfRoom()).workers().at(-1) ?? 0, 'SIGKILL')
    await room.all(tab => tab.logs('sfu.reset'))
    // Microphone and camera, twice a screen with its sound, and in this session all but the camera.
    await alice.logs('sfu.producer_added', 9)
    await alice.showsPath('bob you microphone', 'kbit/s')
    await alice.showsPath('bob you screen', 'kbit/s')
    await alice.showsNoPath('bob you camera')
    t.strictSame(await room.failures(), [])
  })
}
