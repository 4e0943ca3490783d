// Headless Chromium with a fake camera and microphone.
import { type Browser, chromium } from 'playwright-core'
import type { Test } from 'tap'
import { findBrowser } from './find-browser.js'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--use-fake-ui-for-media-stream',
  // A camera with ten frames a second: with twenty a call takes a quarter more CPU time.
  '--use-fake-device-for-media-stream=fps=10',
  // Two pages on one machine connect without a network and without multicast DNS.
  '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns'
]

/** `flags`: further ones. */
export async function launchChromium(
  t: Test,
  { flags = [] }: { readonly flags?: readonly string[] } = {}
): Promise<Browser> {
  const executablePath = findBrowser(NAMES, 'CHROMIUM_PATH')
  const browser = await chromium.launch({ executablePath, args: [...FLAGS, ...flags] })
  t.teardown(() => browser.close())
  return browser
}
