// Real peers through Signalpost and the media service of the examples: Chromium, Debian's simple-whip-client (GStreamer) and aiortc.
import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { run } from '../helpers/child-process.js'
import { startMediaExample } from '../helpers/media-example.js'
import { startMediaRelay } from '../helpers/media-relay.js'
import { startServers, tokenOf } from '../helpers/servers.js'
import { until } from '../helpers/until.js'
import { startLossyRelay } from './lossy-relay.js'
import { startWhipClient } from './whip-client.js'

const PAGE = readFileSync(new URL('whip-page.js', import.meta.url), 'utf8')
/** Of the machine of an overloaded CI. */
const WITHIN_MS = 60_000
const FRAMES = 20

/** Every twentieth packet of media. */
const LOST_PERIOD = 20

interface VideoStats {
  readonly nackCount: number
  readonly retransmittedPacketsReceived: number
  readonly rtxSsrc: number
}

interface Received {
  readonly frames: number
  readonly packets: number
}

/** Signalpost with the media service, and a browser whose page is of Signalpost's own origin. */
class Stage {
  readonly url: string
  readonly page: Page
  /** Process ids of the workers of the media service. */
  readonly workers: () => number[]

  private constructor(url: string, page: Page, workers: () => number[]) {
    this.url = url
    this.page = page
    this.workers = workers
  }

  static async open(t: Test): Promise<Stage> {
    const relay = await startMediaRelay(t)
    const env = { SIGNALPOST_URLS: relay.url, ICE_TIMEOUT_MS: '6000' }
    const { url: mediaUrl, secret, workers } = await startMediaExample(t, env)
    const settings = {
      MEDIA_SERVICE_URLS: mediaUrl,
      MEDIA_SERVICE_SECRET: secret,
      MEDIA_SERVICE_TIMEOUT_MS: '5000',
      RATE_LIMIT_READS: '1000000'
    }
    const [{ url } = { url: '' }] = await startServers(t, { engine: 'memory' }, settings)
    relay.nodes = [url]
    const page = await (await launchChromium(t)).newPage()
    await page.goto(`${url}/healthz`)
    await page.addScriptTag({ content: PAGE })
    return new Stage(url, page, workers)
  }

  /** Creates a room in mode sfu. */
  async room(roomId: string): Promise<{ readonly whip: string; readonly whep: string }> {
    const headers = { authorization: `Bearer ${await tokenOf('alice')}`, 'content-type': 'application/json' }
    const path = `${this.url}/v1/rooms/${roomId}`
    const reply = await fetch(path, { method: 'PUT', headers, body: JSON.stringify({ mode: 'sfu' }) })
    if (!reply.ok) throw new Error(await reply.text())
    return { whip: `${path}/whip`, whep: `${path}/whep` }
  }

  async participants(roomId: string): Promise<{ user: string; via?: string }[]> {
    const headers = { authorization: `Bearer ${await tokenOf('alice')}` }
    const reply = await fetch(`${this.url}/v1/rooms/${roomId}`, { headers })
    return ((await reply.json()) as { participants: { user: string; via?: string }[] }).participants
  }

  call<T>(name: string, argument: unknown): Promise<T> {
    return this.page.evaluate(`${name}(${JSON.stringify(argument)})`)
  }

  async publish(url: string, user: string, options: object = {}): Promise<number> {
    return this.call('publish', { url, token: await tokenOf(user), ...options })
  }

  async view(url: string, user: string, kinds: readonly string[] = ['audio', 'video']): Promise<number> {
    return this.call('view', { url, token: await tokenOf(user), kinds })
  }

  /** Resolves when the viewer has decoded frames, and received packets of audio if there are, since this was called. */
  async untilReceived(viewer: number, { withAudio = true } = {}): Promise<void> {
    const before = await this.call<Received>('received', viewer)
    await until(
      `viewer ${viewer} receives media`,
      async () => {
        const { frames, packets } = await this.call<Received>('received', viewer)
        return frames >= before.frames + FRAMES && (!withAudio || packets >= before.packets + FRAMES)
      },
      WITHIN_MS
    )
  }
}

async function runPeers(): Promise<void> {
  const stage = await Stage.open(t)

  await t.test('Chromium publishes by WHIP, and Chromium views by WHEP, also after ICE restarts', async t => {
    const { whip, whep } = await stage.room('browsers')
    const publisher = await stage.publish(whip, 'bob')
    const viewer = await stage.view(whep, 'carol')
    await stage.untilReceived(viewer)
    t.match(await stage.participants('browsers'), [
      { user: 'bob', via: 'whip' },
      { user: 'carol', via: 'whep' }
    ])
    for (const session of [publisher, viewer]) t.match(await stage.call('restartIce', session), /^\S+$/)
    await stage.untilReceived(viewer)
    for (const session of [viewer, publisher]) t.equal(await stage.call('end', session), 200)
    t.strictSame(await stage.participants('browsers'), [])
  })

  await t.test('a viewer who loses packets gets them again by RTX', async t => {
    const { whip, whep } = await stage.room('loss')
    const publisher = await stage.publish(whip, 'bob')
    const request = { url: whep, token: await tokenOf('carol'), kinds: ['audio', 'video'] }
    const { number, answer } = await stage.call<{ number: number; answer: string }>('requestView', request)
    const relay = await startLossyRelay(t, answer, LOST_PERIOD)
    const udp = /^(a=candidate:\S+ 1 udp \d+) \S+ \d+/gim
    const relayed = answer.replace(udp, `$1 127.0.0.1 ${relay.port}`).replace(/^a=candidate:\S+ 1 tcp .*\r\n/gim, '')
    await stage.call('accept', { number, sdp: relayed })
    await stage.untilReceived(number)
    const stats = () => stage.call<VideoStats>('videoStats', number)
    await until('packets are repeated', async () => (await stats()).retransmittedPacketsReceived >= 5, WITHIN_MS)
    await stage.untilReceived(number)
    const { rtxSsrc, nackCount } = await stats()
    t.ok(rtxSsrc > 0, 'by RTX')
    t.ok(nackCount > 0 && relay.lost() > 0, `${nackCount} requests, ${relay.lost()} lost`)
    for (const session of [number, publisher]) t.equal(await stage.call('end', session), 200)
  })

  await t.test(
    "a viewer whose offer has mediasoup's ids of header extensions gets transport-wide congestion control",
    async t => {
      const { whip, whep } = await stage.room('bandwidth')
      const publisher = await stage.publish(whip, 'bob')
      const request = { url: whep, token: await tokenOf('carol'), kinds: ['video'], mediasoupIds: true }
      const { number, answer } = await stage.call<{ number: number; answer: string }>('requestView', request)
      t.match(answer, /^a=extmap:5 \S+transport-wide-cc-extensions-01\r$/m)
      t.match(answer, /^a=rtcp-fb:\d+ transport-cc\r$/m)
      await stage.call('accept', { number, sdp: answer })
      await stage.untilReceived(number, { withAudio: false })
      for (const session of [number, publisher]) t.equal(await stage.call('end', session), 200)
    }
  )

  await t.test('viewers of simulcast, one of them without audio', async t => {
    const { whip, whep } = await stage.room('simulcast')
    const publisher = await stage.publish(whip, 'bob', { simulcast: true })
    const viewer = await stage.view(whep, 'carol')
    const videoOnly = await stage.view(whep, 'dave', ['video'])
    await stage.untilReceived(viewer)
    await stage.untilReceived(videoOnly, { withAudio: false })
    for (const session of [viewer, videoOnly, publisher]) t.equal(await stage.call('end', session), 200)
  })

  await t.test('simple-whip-client publishes a test picture and a tone, and Chromium sees and hears it', async t => {
    const { whip, whep } = await stage.room('encoder')
    const encoder = startWhipClient(t, {
      ...{ url: whip, token: await tokenOf('bob'), withinMs: WITHIN_MS },
      audio:
        'audiotestsrc is-live=true ! audioconvert ! audioresample ! opusenc ! rtpopuspay pt=100 ssrc=1 ! queue ! ' +
        'application/x-rtp,media=audio,encoding-name=OPUS,payload=100',
      video:
        'videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=15/1 ! videoconvert ! ' +
        'vp8enc deadline=1 keyframe-max-dist=15 ! rtpvp8pay pt=96 ssrc=2 picture-id-mode=2 ! queue ! ' +
        'application/x-rtp,media=video,encoding-name=VP8,payload=96'
    })
    await encoder.waitForOutput(/PeerConnection connected/)
    const viewer = await stage.view(whep, 'carol')
    await stage.untilReceived(viewer)
    encoder.signal('SIGINT')
    await until('it has left by DELETE', async () => (await stage.participants('encoder')).length === 1, WITHIN_MS)
    t.equal(await stage.call('end', viewer), 200)
  })

  await t.test('aiortc views by WHEP', async t => {
    const python = process.env.AIORTC_PYTHON
    if (python === undefined) return t.pass('no aiortc here')
    const { whip, whep } = await stage.room('python')
    const publisher = await stage.publish(whip, 'bob')
    const viewer = run(t, python, ['test/sfu/aiortc-viewer.py', whep, await tokenOf('carol')], { withinMs: WITHIN_MS })
    t.match(await viewer.waitForOutput(/ended 200/), /received audio 20 video 20/)
    t.equal(await stage.call('end', publisher), 200)
  })

  await t.test('when the publisher leaves, the connection of its viewer ends', async t => {
    const { whip, whep } = await stage.room('ended')
    const publisher = await stage.publish(whip, 'bob')
    const viewer = await stage.view(whep, 'carol')
    await stage.untilReceived(viewer)
    t.equal(await stage.call('end', publisher), 200)
    const isOver = async () => /disconnected|failed|closed/.test(await stage.call('stateOf', viewer))
    await until('the viewer learns it', isOver, WITHIN_MS)
    t.strictSame(await stage.participants('ended'), [])
  })

  await t.test('a client that vanishes is lost', async t => {
    const { whip } = await stage.room('lost')
    const publisher = await stage.publish(whip, 'bob')
    await until('it is connected', async () => (await stage.call('stateOf', publisher)) === 'connected', WITHIN_MS)
    await stage.page.evaluate(`sessions[${publisher}].connection.close()`)
    await until('it is lost', async () => (await stage.participants('lost')).length === 0, WITHIN_MS)
    t.pass('the room is empty')
  })

  await t.test('when the worker dies, its clients leave the room', async t => {
    const { whip } = await stage.room('crash')
    await stage.publish(whip, 'bob')
    process.kill(stage.workers().at(-1) ?? 0, 'SIGKILL')
    await until('it is lost', async () => (await stage.participants('crash')).length === 0, WITHIN_MS)
    t.pass('the room is empty')
  })
}

await runPeers()
