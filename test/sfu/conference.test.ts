// A real conference: the room page in four browsers, two nodes on one Redis, and two media services with a mediasoup worker each. A worker,
// both services and a node are killed while people are in.
import t, { type Test } from 'tap'
import { mediaImpossible } from '../helpers/media-example.js'
import { Conference } from './conference.js'

const impossible = mediaImpossible()
if (impossible !== null) t.pass(`no worker here: ${impossible}`)
else await t.test('a conference of four', conference)

async function conference(t: Test): Promise<void> {
  const room = await Conference.open(t)
  const alice = await room.join('alice', 0)
  await alice.tab.reads('You are in standup.')
  const bob = await room.join('bob', 1)

  await t.test('two who send to each other directly go on through the media service, back, and again', async t => {
    await room.all((tab, others) => tab.receives(others))
    for (const mode of ['sfu', 'p2p', 'sfu']) {
      const seconds = await room.secondsUntilRenewed(() => alice.tab.press('Media service'))
      t.comment(`both receive in mode ${mode} after ${seconds} s`)
      await room.all(tab => tab.hasMode(mode))
    }
    t.strictSame(await room.failures(), [])
  })

  const carol = await room.join('carol', 0)
  const dave = await room.join('dave', 1)

  await t.test('four receive three each', async t => {
    await room.all((tab, others) => tab.receives(others))
    for (const each of ['microphone', 'camera']) {
      await dave.tab.showsPath(`you media service ${each}`)
      for (const user of ['alice', 'bob', 'carol']) await dave.tab.showsPath(`${user} you ${each}`)
    }
    t.strictSame(await room.failures(), [])
  })

  await t.test('a picture that is enlarged arrives in a larger layer', async t => {
    const small = await dave.tab.widthOf('alice')
    await dave.tab.clickPicture('alice')
    await dave.tab.receivesWider('alice', small)
    const large = await dave.tab.widthOf('alice')
    await dave.tab.clickPicture('alice')
    await dave.tab.receivesNarrower('alice', large)
    t.comment(`${small} pixels wide, enlarged ${large}`)
    await dave.tab.logs('PATCH sfu/consumers', 2)
  })

  await t.test('a client in Python, with pymediasoup, receives all four', async t => {
    const python = process.env.AIORTC_PYTHON
    if (python === undefined) return t.pass('no pymediasoup here')
    const viewer = await room.runViewer(python, ['test/sfu/pymediasoup-viewer.py'], 'erin')
    const output = await viewer.waitForOutput(/left/)
    for (const user of ['alice', 'bob', 'carol', 'dave']) t.match(output, `10 frames of ${user}`)
    await room.all((tab, others) => tab.hasTilesOf(others))
  })

  await t.test('a screen is shown to the others until it is no longer shared, and then not captured', async t => {
    await carol.tab.watchCapture()
    await carol.tab.press('Share screen')
    await Promise.all([alice, bob, dave].map(({ tab }) => tab.showsPath('carol you screen')))
    await Promise.all([alice, bob, dave].map(({ tab }) => tab.playsScreen('carol')))
    t.strictSame(await carol.tab.captureStates(), ['live'])
    await carol.tab.press('Share screen')
    await Promise.all([alice, bob, dave].map(({ tab }) => tab.hasNoScreen()))
    t.strictSame(await carol.tab.captureStates(), ['ended'])
  })

  await t.test('the media worker is killed: all are back in the next session', async t => {
    const service = await room.serviceOfRoom()
    const at = performance.now()
    const seconds = await room.secondsUntilRenewed(async () => {
      process.kill(service.workers().at(-1) ?? 0, 'SIGKILL')
      await room.all(tab => tab.logs('sfu.reset'))
      t.comment(`all know it after ${((performance.now() - at) / 1000).toFixed(1)} s`)
    })
    t.comment(`four receive three each ${seconds} s after the media worker was killed`)
    t.strictSame(await room.failures(), [])
  })

  await t.test('one media service is killed: all are back on the other one', async t => {
    const service = await room.serviceOfRoom()
    const seconds = await room.secondsUntilRenewed(() => room.killService(service))
    t.comment(`four receive three each ${seconds} s after the media service was killed`)
    t.not(await room.serviceOfRoom(), service)
  })

  await t.test('no media service is left: four wait, and return with the service', async t => {
    await room.killServices()
    await room.all(tab => tab.reads('Media server unavailable'))
    const seconds = await room.secondsUntilRenewed(() => room.startServices())
    t.comment(`four receive three each ${seconds} s after it was started`)
    t.strictSame(await room.failures(), [])
  })

  await t.test('no media service is left: three fall to p2p, and return with the service', async t => {
    await dave.tab.press('Leave')
    room.tabs.delete('dave')
    await room.all((tab, others) => tab.hasTilesOf(others))
    const down = await room.secondsUntilRenewed(() => room.killServices())
    t.comment(`three receive two each directly ${down} s after the media services were killed`)
    await room.all(tab => tab.hasMode('p2p'))
    await alice.tab.showsPath('you bob camera')
    const up = await room.secondsUntilRenewed(() => room.startServices())
    t.comment(`three receive two each through the media service ${up} s after it was started`)
    await room.all(tab => tab.hasMode('sfu'))
    t.strictSame(await room.failures(), [])
  })

  await t.test('a node is killed: all tracks go on, and the other node serves the next requests', async t => {
    const before = await room.pictures()
    await room.killNode(0)
    await room.all((tab, _, user) => tab.receivesOn(before.get(user) ?? {}))
    await room.all(tab => tab.isConnected('live'))
    await alice.tab.writes('Are you there?')
    await room.all(tab => tab.hasRead('alice: Are you there?'))
    await room.join('dave', 1)
    await room.all((tab, others, user) => tab.receives(others, user === 'dave' ? {} : undefined))
    t.strictSame(await room.failures(), [])
  })
}
