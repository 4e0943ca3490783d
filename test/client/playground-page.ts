// The playground in a browser, as its users see it: by names and roles.
import type { Browser, Locator, Page } from 'playwright-core'
import type { Test } from 'tap'
import { buildPage } from '../helpers/page-files.js'
import { startServers } from '../helpers/servers.js'

export interface Playground {
  readonly page: Page
  readonly url: string
  readonly alice: Locator
  readonly bob: Locator
  readonly timeline: Locator
  readonly wire: Locator
}

/** Builds the page, starts a server, and opens the page there. */
export async function openPlayground(t: Test, browser: Browser, env: Record<string, string> = {}): Promise<Playground> {
  await buildPage()
  const [server] = await startServers(t, { engine: 'memory' }, env)
  const opened = await openPage(t, browser, `${server?.url}/`)
  for (const person of [opened.alice, opened.bob]) await person.getByText('live stream').waitFor()
  return opened
}

export async function openPage(t: Test, browser: Browser, url: string): Promise<Playground> {
  const context = await browser.newContext({
    permissions: url.startsWith('http://127.') ? ['clipboard-read', 'clipboard-write', 'camera', 'microphone'] : []
  })
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  page.on('pageerror', error => t.fail(error.message))
  await page.goto(url)
  const region = (name: string) => page.getByRole('region', { name })
  return {
    page,
    url,
    alice: region('alice'),
    bob: region('bob'),
    timeline: region('Timeline'),
    wire: region('Wire')
  }
}

export async function call({ alice, bob }: Playground): Promise<void> {
  await alice.getByRole('button', { name: 'Call', exact: true }).click()
  await bob.getByRole('button', { name: 'Answer' }).click()
  await connected({ alice, bob })
}

export async function connected({ alice, bob }: Pick<Playground, 'alice' | 'bob'>): Promise<void> {
  await alice.getByText('In a call with bob').waitFor()
  await bob.getByText('In a call with alice').waitFor()
}

/** Resolves when the picture of the other side moves. */
export async function seesPicture(person: Locator, label: string | RegExp = /^What \w+ sees/): Promise<void> {
  const picture = person.getByLabel(label)
  // Chromium pauses a muted video that is scrolled out of view.
  await picture.scrollIntoViewIfNeeded()
  await picture.evaluate(async element => {
    const video = element as HTMLVideoElement
    const frames = () => video.getVideoPlaybackQuality().totalVideoFrames
    const before = frames()
    while (frames() < before + 5 || video.videoWidth === 0) await new Promise(resolve => setTimeout(resolve, 50))
  })
}
