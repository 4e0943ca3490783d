// The playground by keyboard, for screen readers, in both colour schemes, and at three widths.
import type { Page } from 'playwright-core'
import t from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { call, openPage, openPlayground, seesPicture } from './playground-page.js'

const browser = await launchChromium(t)

/** Presses Tab until the element with this role and name has the focus. */
async function tabTo(page: Page, scope: string, label: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    const isThere = await page.evaluate(
      ([region, text]) => {
        const { activeElement: focused } = document
        return focused?.textContent?.trim() === text && focused.closest(`[aria-labelledby="${region}"]`) !== null
      },
      [scope, label] as const
    )
    if (isThere) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab does not lead to ${label}`)
}

t.test('a call by keyboard alone', async t => {
  const { page, alice, bob } = await openPlayground(t, browser)
  await tabTo(page, 'name-alice', 'Call')
  await page.keyboard.press('Enter')
  await bob.getByRole('button', { name: 'Answer' }).waitFor()
  t.equal(await page.evaluate(() => document.activeElement?.textContent), 'Cancel', 'the focus stays with alice')
  await tabTo(page, 'name-bob', 'Answer')
  await page.keyboard.press('Space')
  await bob.getByText('In a call with alice').waitFor()
  await tabTo(page, 'name-bob', 'Hang up')
  await page.keyboard.press('Enter')
  await alice.getByText('Call ended: hangup').waitFor()
})

t.test('everything that can be used has a name, and every state is announced', async t => {
  const opened = await openPlayground(t, browser)
  const { page, alice } = opened
  await call(opened)
  for (const summary of await page.getByText('Break the network').all()) await summary.click()
  const snapshot = await page.locator('body').ariaSnapshot()
  t.match(snapshot, /- button "Hang up"/)
  t.match(snapshot, /- tab "Room"/)
  t.match(snapshot, /- list "Steps of the call"/)
  const unnamed = /- (button|textbox|link|checkbox|combobox|region|tab|tabpanel|img|log|dialog)\b(?! ")/g
  t.strictSame(snapshot.match(unnamed), null)
  t.equal(await alice.getByRole('status', { name: 'Connection of alice' }).count(), 1)

  await page.getByRole('tab', { name: 'Call' }).press('ArrowRight')
  t.equal(await page.getByRole('tab', { name: 'Room', selected: true }).count(), 1)
})

t.test('without TLS a call works, and the page says why it has no camera', async t => {
  // Another origin than localhost: for it browsers demand TLS.
  const insecure = await launchChromium(t, { flags: ['--host-resolver-rules=MAP phone.test 127.0.0.1'] })
  const { url } = await openPlayground(t, browser)
  const opened = await openPage(t, insecure, url.replace('127.0.0.1', 'phone.test'))
  const { page, alice, bob } = opened
  t.equal(await page.evaluate(() => isSecureContext), false)
  await alice.getByRole('button', { name: 'Use camera' }).click()
  await call(opened)
  await Promise.all([seesPicture(alice), seesPicture(bob)])
  t.equal(
    await alice.getByRole('status', { name: 'Camera of alice' }).textContent(),
    'Without TLS the browser gives no camera: alice sends a generated picture'
  )
})

/** WCAG 2.2, 1.4.3: 4.5 : 1 for texts of this size. */
const CONTRAST_MIN = 4.5

t.test('texts have enough contrast in both colour schemes, and no width scrolls sideways', async t => {
  const opened = await openPlayground(t, browser)
  const { page } = opened
  await call(opened)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    t.strictSame(await page.evaluate(faintPairs, CONTRAST_MIN), [], colorScheme)
    for (const width of [320, 390, 768, 1280]) {
      await page.setViewportSize({ width, height: 800 })
      t.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `${width} px`)
    }
  }
})

/** Runs in the page: the colours of texts that are too close to the surface behind them. */
function faintPairs(min: number): string[] {
  const style = getComputedStyle(document.documentElement)
  const luminance = (name: string) => {
    const channels = [1, 3, 5].map(
      at =>
        Number.parseInt(
          style
            .getPropertyValue(name)
            .trim()
            .slice(at, at + 2),
          16
        ) / 255
    )
    const [r = 0, g = 0, b = 0] = channels.map(each =>
      each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4
    )
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const texts = ['--text', '--muted', '--accent', '--danger', '--good', '--warn', '--alice', '--bob', '--other']
  const pairs = texts.flatMap(text => ['--surface', '--sunken'].map(surface => [text, surface]))
  pairs.push(['--on-accent', '--accent'], ['--text', '--page'], ['--muted', '--page'])
  return pairs.flatMap(([text = '', surface = '']) => {
    const [high = 0, low = 0] = [luminance(text), luminance(surface)].sort((one, other) => other - one)
    const contrast = (high + 0.05) / (low + 0.05)
    return contrast >= min ? [] : [`${text} on ${surface}: ${contrast.toFixed(2)}`]
  })
}
