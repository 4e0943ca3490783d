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
  // Two pages on one machine connect without a network and without multicast DNS.
  '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns'
]

/** `fps`: of the camera. `flags`: further ones. */
export async function launchChromium(
  t: Test,
  { fps = 20, flags = [] }: { readonly fps?: number; readonly flags?: readonly string[] } = {}
): Promise<Browser> {
  const args = [...FLAGS, `--use-fake-device-for-media-stream=fps=${fps}`, ...flags]
  const browser = await chromium.launch({ executablePath: findBrowser(NAMES, 'CHROMIUM_PATH'), args })
  t.teardown(() => browser.close())
  return browser
}
