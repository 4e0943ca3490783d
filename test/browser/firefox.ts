// Headless Firefox with a fake camera and microphone, driven over WebDriver BiDi.
import puppeteer, { type Browser } from 'puppeteer-core'
import type { Test } from 'tap'
import { guard } from '../helpers/child-process.js'
import { findBrowser } from './find-browser.js'

const NAMES = ['firefox-esr', 'firefox']

const PREFERENCES = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  // Two pages on one machine connect without a network and without multicast DNS.
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.autoplay.default': 0,
  // It does not contact its maker.
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'captivedetect.canonicalURL': '',
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'http://127.0.0.1:1',
  'toolkit.telemetry.server': 'http://127.0.0.1:1'
}

/** It is closed after the test. */
export async function launchFirefox(t: Test): Promise<Browser> {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: findBrowser(NAMES, 'FIREFOX_PATH'),
    headless: true,
    extraPrefsFirefox: PREFERENCES
  })
  const child = browser.process()
  if (child) guard(child, { isGroup: true })
  t.teardown(() => browser.close())
  return browser
}
