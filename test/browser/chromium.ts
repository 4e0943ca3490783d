// Headless Chromium with a fake camera and microphone.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import type { Test } from 'tap'

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

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function findChromium(): string {
  const { CHROMIUM_PATH, PATH = '' } = process.env
  if (CHROMIUM_PATH) return CHROMIUM_PATH
  const paths = PATH.split(delimiter).flatMap(directory => NAMES.map(name => join(directory, name)))
  const found = paths.find(isExecutable)
  if (found) return found
  throw new Error(`These tests need Chromium: ${NAMES.join(', ')} on the PATH, or its path in CHROMIUM_PATH`)
}

/** `fps`: of the camera. */
export async function launchChromium(t: Test, { fps = 20 } = {}): Promise<Browser> {
  const args = [...FLAGS, `--use-fake-device-for-media-stream=fps=${fps}`]
  const browser = await chromium.launch({ executablePath: findChromium(), args })
  t.teardown(() => browser.close())
  return browser
}
