// Chromium accepts the answers to its offers of WHIP and WHEP.
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { answerPublication, readPublication } from '../../src/domain/whip/publication.js'
import { answerView, readView } from '../../src/domain/whip/view.js'
import type { RtpParameters } from '../../src/schemas/sfu-rtp.js'
import { consumerFor, ROUTER, TRANSPORT } from '../helpers/router-capabilities.js'
import { launchChromium } from './chromium.js'

interface Plan {
  readonly publishes?: readonly ('audio' | 'video' | 'simulcast')[]
  readonly views?: readonly ('audio' | 'video')[]
  readonly data?: boolean
  readonly both?: boolean
  readonly bundlePolicy?: 'max-bundle' | 'max-compat'
}

const page = await (await launchChromium(t)).newPage()
await page.addScriptTag({ content: readFileSync(new URL('whip-page.js', import.meta.url), 'utf8') })

/** The directions of the sections that Chromium negotiated and did not reject, or what it said against the answer. */
async function negotiate(plan: Plan, answer: (offer: string) => string): Promise<string | readonly string[]> {
  const { number, sdp } = (await page.evaluate(`makeOffer(${JSON.stringify(plan)})`)) as { number: number; sdp: string }
  return page.evaluate(`acceptAnswer(${JSON.stringify({ number, sdp: answer(sdp) })})`)
}

const publish = (sdp: string): string => answerPublication(readPublication(sdp, { router: ROUTER }), TRANSPORT, '1')

const view =
  (video: string, ...without: readonly number[]) =>
  (sdp: string): string => {
    const read = readView(sdp)
    const consumers: (RtpParameters | null)[] = read.media.map(({ kind, rtpCapabilities }, i) =>
      without.includes(i) ? null : consumerFor(rtpCapabilities, kind === 'audio' ? 'audio/opus' : video, i * 10 + 1)
    )
    return answerView(read, consumers, { transport: TRANSPORT, sessionNumber: '1' })
  }

async function check(
  t: Test,
  rows: readonly (readonly [plan: Plan, answer: (sdp: string) => string, directions: string])[]
) {
  for (const [plan, answer, directions] of rows) {
    const got = await negotiate(plan, answer)
    t.equal(typeof got === 'string' ? got : got.join(' '), directions, JSON.stringify(plan))
  }
}

t.test('Chromium accepts the answers to its publishing offers', async t => {
  await check(t, [
    [{ publishes: ['audio', 'video'] }, publish, 'sendonly sendonly'],
    [{ publishes: ['audio', 'video'], bundlePolicy: 'max-bundle' }, publish, 'sendonly sendonly'],
    [{ publishes: ['audio', 'video'], bundlePolicy: 'max-compat' }, publish, 'sendonly sendonly'],
    [{ publishes: ['simulcast', 'audio'] }, publish, 'sendonly sendonly'],
    [{ publishes: ['audio', 'video', 'video'], data: true }, publish, 'sendonly sendonly sendonly'],
    [{ publishes: ['video'], both: true }, publish, 'sendonly'],
    [{ publishes: ['video'], views: ['audio'] }, publish, 'sendonly'],
    [{ publishes: ['audio'], views: ['video'], data: true, bundlePolicy: 'max-bundle' }, publish, 'sendonly']
  ])
})

t.test('Chromium accepts the answers to its viewing offers', async t => {
  await check(t, [
    [{ views: ['audio', 'video'] }, view('video/VP8'), 'recvonly recvonly'],
    [{ views: ['audio', 'video'], bundlePolicy: 'max-bundle' }, view('video/H264'), 'recvonly recvonly'],
    [{ views: ['video'] }, view('video/VP9'), 'recvonly'],
    [{ views: ['video'] }, view('video/AV1'), 'recvonly'],
    [{ views: ['audio', 'video', 'video'], data: true }, view('video/VP8', 2), 'recvonly recvonly'],
    [{ views: ['audio', 'video'], bundlePolicy: 'max-bundle' }, view('video/VP8', 0), 'inactive recvonly']
  ])
})
