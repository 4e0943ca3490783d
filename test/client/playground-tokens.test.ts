// The playground on a server that makes no tokens, and one of its people alone.
import t from 'tap'
import { loadConfig } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { launchChromium } from '../browser/chromium.js'
import { buildPage } from '../helpers/page-files.js'
import { startServers } from '../helpers/servers.js'
import { connected, openPage, seesPicture } from './playground-page.js'

const ENV = { JWT_SECRET: 'a-secret-of-more-than-thirty-two-bytes', PLAYGROUND: 'on' }
const browser = await launchChromium(t)
await buildPage()
const [server] = await startServers(t, { engine: 'memory' }, ENV)
const url = `${server?.url}/`
const tokenOf = (user: string) => createToken(loadConfig(ENV), { user })

t.test('it asks for the token of each person', async t => {
  const { page, alice, bob } = await openPage(t, browser, url)
  for (const name of ['alice', 'bob']) {
    const dialog = page.getByRole('dialog', { name: `Token of ${name}` })
    await dialog.getByLabel('Token (JWT)').fill(await tokenOf(name))
    await dialog.getByRole('button', { name: 'Connect' }).click()
  }
  for (const person of [alice, bob]) await person.getByText('live stream').waitFor()
  t.match(await bob.getByRole('link', { name: /^Open on another device/ }).getAttribute('href'), /#person=bob&bob=ey/)
})

t.test(
  'two pages with one person each, whose tokens are in the address, call each other, and go on after a reload',
  async t => {
    const pageOf = async (name: string) =>
      openPage(t, browser, `${url}#${new URLSearchParams({ person: name, [name]: await tokenOf(name) })}`)
    const [{ alice }, { page, bob }] = [await pageOf('alice'), await pageOf('bob')]
    for (const person of [alice, bob]) await person.getByText('live stream').waitFor()
    await alice.getByRole('button', { name: 'Call', exact: true }).click()
    await bob.getByRole('button', { name: 'Answer' }).click()
    await connected({ alice, bob })
    await Promise.all([seesPicture(alice), seesPicture(bob)])

    await page.reload()
    await connected({ alice, bob })
    await Promise.all([seesPicture(alice), seesPicture(bob)])
  }
)

t.test('a token that is refused is reported', async t => {
  const { alice } = await openPage(t, browser, `${url}#person=alice&alice=wrong`)
  t.match(await alice.getByRole('alert').filter({ hasText: /\w/ }).textContent(), /token/i)
  await alice.getByText('disconnected').waitFor()
})
