// Signing in to the operator view: secrets that are right, wrong, or no longer right, and where they are kept.
import { SignJWT } from 'jose'
import type { Page } from 'playwright-core'
import t from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { openOperator, openSignedIn, SECRET, signIn, startNodes } from './operator-page.js'
import { startPrefixProxy } from './prefix-proxy.js'

const NEXT = 'the-next-secret-of-operators-is-as-long!'
const browser = await launchChromium(t)

const problem = async (page: Page, text: string | RegExp) => {
  const alert = page.getByRole('alert').filter({ hasText: text })
  await alert.waitFor()
  return (await alert.innerText()).replace(/\s+/g, ' ')
}

t.test('without a secret the page asks the server for nothing, and a wrong secret is refused', async t => {
  const { adminUrl, urls } = await startNodes(t)
  t.equal((await fetch(`${urls[0]}/operator/main.js`)).status, 404, 'not on the port of clients')
  const page = await openOperator(t, browser, 'about:blank')
  const paths: string[] = []
  page.on('request', request => paths.push(new URL(request.url()).pathname))
  const reply = await page.goto(adminUrl)
  await page.getByLabel('Secret or token').waitFor()
  t.strictSame([...new Set(paths)].sort(), ['/', '/operator/icon.svg', '/operator/main.js', '/operator/style.css'])
  const policy = reply?.headers()['content-security-policy'] ?? ''
  t.match(policy, /default-src 'none'; script-src 'self'; style-src 'self';/)
  t.match(policy, /require-trusted-types-for 'script'; trusted-types 'none'/)
  t.notMatch(policy, /unsafe|\*|http/)
  t.equal(await page.getByRole('navigation').count(), 0)

  await signIn(page, 'wrong')
  t.equal(await problem(page, 'unauthorized'), 'A valid token is required unauthorized')
  t.equal(await page.evaluate(() => sessionStorage.length), 0)
  t.equal(await page.getByLabel('Secret or token').inputValue(), 'wrong', 'the views were never opened')
  for (let guess = 0; guess < 10; guess++)
    await fetch(`${adminUrl}/v1/admin/openapi.json`, { headers: { authorization: 'Bearer no' } })
  await signIn(page)
  t.match(await problem(page, 'rate_limited'), /rate_limited .*wrong secrets.* Try again in \d+ s/)
})

t.test('the secret is kept in the storage of the tab, and nowhere else, until its user signs out', async t => {
  const { adminUrl } = await startNodes(t)
  const page = await openSignedIn(t, browser, adminUrl)
  const kept = () =>
    page.evaluate(() => ({
      session: Object.values(sessionStorage),
      others: [
        Object.values(localStorage).join(),
        document.cookie,
        location.href,
        document.documentElement.outerHTML
      ].join()
    }))
  await page.getByText('No call lives now.').waitFor()
  t.strictSame((await kept()).session, [SECRET])
  t.notMatch((await kept()).others, SECRET)
  await page.reload()
  await page.getByText('No call lives now.').waitFor()

  const other = await page.context().newPage()
  await other.goto(adminUrl)
  await other.getByLabel('Secret or token').waitFor()

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('Secret or token').waitFor()
  t.strictSame((await kept()).session, [])
  t.equal(await page.getByRole('navigation').count(), 0)
  t.notMatch(await page.innerText('main'), 'No call lives')
  await page.reload()
  await page.getByLabel('Secret or token').waitFor()
})

t.test('it works below a path, says when the server is gone, and goes on when it is back', async t => {
  const { adminUrl } = await startNodes(t)
  const proxy = await startPrefixProxy(t, adminUrl)
  const page = await openSignedIn(t, browser, proxy.url)
  await page.getByText('No call lives now.').waitFor()
  proxy.set(false)
  t.equal(await problem(page, 'network'), 'The server cannot be reached network HTTP status 502')
  await page.getByText('No call lives now.').waitFor()
  proxy.set(true)
  await page.getByRole('alert').filter({ hasText: 'network' }).waitFor({ state: 'detached' })
})

t.test('a secret that the server no longer accepts leads back to the form, which says why', async t => {
  const before = await startNodes(t)
  const after = await startNodes(t, { ADMIN_SECRET: NEXT })
  const proxy = await startPrefixProxy(t, before.adminUrl)
  const page = await openSignedIn(t, browser, proxy.url)
  await page.getByText('No call lives now.').waitFor()
  proxy.passTo(after.adminUrl)
  t.equal(await problem(page, 'unauthorized'), 'A valid token is required unauthorized')
  t.equal(await page.evaluate(() => sessionStorage.length), 0)
  await signIn(page, NEXT)
  await page.getByText('No call lives now.').waitFor()
})

t.test('a token with the role of operators signs in, until it is revoked', async t => {
  const JWT_SECRET = 'the-secret-of-the-tokens-is-32-bytes-long'
  const { adminUrl } = await startNodes(t, { JWT_SECRET, ADMIN_ROLE: 'sp-admin' })
  const sign = (roles: string) =>
    new SignJWT({ sub: 'ops', roles })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(JWT_SECRET))
  const page = await openOperator(t, browser, adminUrl)
  await signIn(page, await sign('user'))
  t.match(await problem(page, 'unauthorized'), 'The token does not have the role of operators')
  await signIn(page, await sign('sp-admin'))
  await page.getByText('No call lives now.').waitFor()
  await fetch(`${adminUrl}/v1/admin/users/ops/all-devices/sign-out`, {
    method: 'POST',
    headers: { authorization: `Bearer ${SECRET}` }
  })
  await problem(page, 'token_revoked')
  t.equal(await page.evaluate(() => sessionStorage.length), 0)
})
