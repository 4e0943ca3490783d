// The operator view in a browser, on nodes with a real Redis, and users of these nodes.
import type { FastifyInstance } from 'fastify'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import type { Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { Client } from '../helpers/client.js'
import { buildPage } from '../helpers/page-files.js'
import { type RedisServer, startRedis } from '../helpers/redis.js'

export const SECRET = 'the-secret-of-operators-is-32-bytes-long'

export interface Nodes {
  readonly redis: RedisServer
  /** Where clients reach each node, and where operators reach the first one. */
  readonly urls: readonly string[]
  readonly adminUrl: string
  readonly apps: readonly FastifyInstance[]
  /** A client of the first node. It is closed after the test. */
  client(user: string, device?: string): Promise<Client>
}

/** They are closed after the test. */
export async function startNodes(t: Test, env: Record<string, string> = {}, count = 1): Promise<Nodes> {
  await buildPage('operator')
  const redis = await startRedis()
  const admin = { ADMIN_PORT: '0', ADMIN_SECRET: SECRET }
  const config = loadConfig({ LOG_LEVEL: 'silent', REDIS_URL: redis.url, ...admin, ...env })
  const apps: FastifyInstance[] = []
  const clients: Client[] = []
  t.teardown(async () => {
    for (const client of clients) client.close()
    await Promise.all(apps.map(app => app.close()))
    await redis.stop()
  })
  for (let node = 0; node < count; node++) apps.push(await buildApp(config))
  const listen = (app: FastifyInstance | null | undefined) => app?.listen({ host: '127.0.0.1', port: 0 }) ?? ''
  const urls = await Promise.all(apps.map(app => listen(app)))
  const adminUrl = await listen(apps[0]?.admin)
  return {
    ...{ redis, urls, adminUrl, apps },
    async client(user, device = 'phone') {
      const client = new Client(urls[0] ?? '', { token: await createToken(config, { user }), device })
      clients.push(client)
      return client
    }
  }
}

/** Opens the page, which asks for the secret. `path`: behind the address of the listener for operators. */
export async function openOperator(
  t: Test,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {}
): Promise<Page> {
  const context = await browser.newContext(options)
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  page.on('pageerror', error => t.fail(error.message))
  await page.goto(url)
  return page
}

export async function signIn(page: Page, secret = SECRET): Promise<void> {
  await page.getByLabel('Secret or token').fill(secret)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Opens the page and signs in. */
export async function openSignedIn(
  t: Test,
  browser: Browser,
  url: string,
  options?: BrowserContextOptions
): Promise<Page> {
  const page = await openOperator(t, browser, url, options)
  await signIn(page)
  await page.getByRole('navigation', { name: 'Views' }).waitFor()
  return page
}

export const show = (page: Page, view: string) =>
  page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: view, exact: true }).click()

/** A row with this text, not that of the heads. */
export const row = (scope: Page | Locator, text: string | RegExp) =>
  scope.locator('tbody').getByRole('row').filter({ hasText: text })

/** Resolves after two further readings of a path: what the first one brought is shown. */
export async function reread(page: Page, path: string): Promise<void> {
  for (let n = 0; n < 2; n++) await page.waitForResponse(reply => new URL(reply.url()).pathname.endsWith(path))
}

/** How much of it the page writes while it reads the path again, although nothing changes. */
export async function changesOf(page: Page, scope: Locator, path: string): Promise<number> {
  await scope.evaluate(element => {
    const counts = { changes: 0 }
    Object.assign(window, { counts })
    new MutationObserver(changes => {
      counts.changes += changes.length
    }).observe(element, { subtree: true, childList: true, attributes: true, characterData: true })
  })
  await reread(page, path)
  return page.evaluate(() => (window as unknown as { counts: { changes: number } }).counts.changes)
}
