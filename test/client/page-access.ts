// What is checked of every page: names, contrast, and widths.
import type { Page } from 'playwright-core'
import type { Test } from 'tap'

/** WCAG 2.2, 1.4.3: 4.5 : 1 for texts of this size. */
const CONTRAST_MIN = 4.5

/** What can be used or is a part of the page, in a snapshot of Playwright, and has no name. */
export const unnamed = (snapshot: string): string[] =>
  snapshot.match(
    /- (button|textbox|link|checkbox|combobox|region|navigation|tab|tabpanel|img|log|dialog|table)\b(?! ")/g
  ) ?? []

/** In both colour schemes texts have enough contrast, and no width scrolls sideways. `colours`: those of the page alone. */
export async function checkLooks(t: Test, page: Page, colours: readonly string[] = []): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    t.strictSame(await page.evaluate(faintPairs, [CONTRAST_MIN, ...colours] as const), [], colorScheme)
    for (const width of [320, 390, 768, 1280]) {
      await page.setViewportSize({ width, height: 800 })
      t.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `${width} px`)
    }
  }
}

/** Runs in the page: the colours of texts that are too close to the surface behind them. */
function faintPairs([min, ...others]: readonly [number, ...string[]]): string[] {
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
  const texts = ['--text', '--muted', '--accent', '--danger', '--good', '--warn', ...others]
  const pairs = texts.flatMap(text => ['--surface', '--sunken'].map(surface => [text, surface]))
  pairs.push(['--on-accent', '--accent'], ['--text', '--page'], ['--muted', '--page'])
  return pairs.flatMap(([text = '', surface = '']) => {
    const [high = 0, low = 0] = [luminance(text), luminance(surface)].sort((one, other) => other - one)
    const contrast = (high + 0.05) / (low + 0.05)
    return contrast >= min ? [] : [`${text} on ${surface}: ${contrast.toFixed(2)}`]
  })
}
