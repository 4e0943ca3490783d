// The playground, used by Chromium: calls, the wire, the timeline, and switches that break the network.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Locator } from 'playwright-core'
import t from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { call, connected, openPlayground, seesPicture } from './playground-page.js'

const browser = await launchChromium(t)

t.test('a call has pictures both ways, chat, hold and an end', async t => {
  const opened = await openPlayground(t, browser)
  const { alice, bob, timeline } = opened
  await call(opened)
  await Promise.all([seesPicture(alice), seesPicture(bob)])

  await alice.getByRole('textbox', { name: 'Message of alice' }).fill('Hello')
  await alice.getByRole('button', { name: 'Send' }).click()
  await bob.getByRole('log').getByText('Hello').waitFor()

  await bob.getByRole('button', { name: 'Hold' }).click()
  await alice.getByText('On hold').waitFor()
  await bob.getByRole('button', { name: 'Hold', pressed: true }).click()
  await alice.getByText('In a call with bob').waitFor()
  await seesPicture(alice)

  await bob.getByRole('button', { name: 'Hang up' }).click()
  await alice.getByText('Call ended: hangup').waitFor()
  const steps = timeline.getByRole('list', { name: 'Steps of the call' })
  await steps.getByText('bob: ends: hangup').waitFor()
  const texts = (await steps.getByRole('listitem').allTextContents()).map(text => text.replace(/^\S+ s: /, ''))
  for (const step of [
    'alice: calls',
    'bob: rings',
    'bob: accepts',
    'alice: offer: #1',
    'bob: answer: #1',
    'bob: holds'
  ])
    t.ok(texts.includes(step), step)
  t.equal(await timeline.getByRole('status').textContent(), 'Ended: hangup')
})

t.test('a call to several users shows how it goes with each', async t => {
  const opened = await openPlayground(t, browser)
  const { alice, bob, wire } = opened
  await alice.getByRole('textbox', { name: 'Whom alice calls' }).fill('carol, bob')
  await alice.getByRole('button', { name: 'Call', exact: true }).click()
  await alice.getByText('Calling carol (unreachable), bob…').waitFor()
  await bob.getByRole('button', { name: 'Answer' }).click()
  await connected(opened)
  await seesPicture(alice)
  await wire.getByText('call.accepted').first().waitFor()
})

t.test('a copied request and a copied event work in a shell', async t => {
  const opened = await openPlayground(t, browser)
  const { page, wire } = opened
  await call(opened)
  const copied = async (text: string | RegExp) => {
    const entry = wire.getByRole('listitem').filter({ hasText: text }).last()
    await entry.getByText(text).click()
    await entry.getByRole('button', { name: 'Copy as curl' }).click()
    await entry.getByRole('button', { name: 'Copied' }).waitFor()
    return page.evaluate(() => navigator.clipboard.readText())
  }
  // The server makes tokens for anyone, so its page puts them into commands.
  await wire.getByLabel('Token in curl').uncheck()
  // Not of a later request of the call.
  const withVariable = await copied(/POST \/v1\/calls(?!\/)/)
  t.match(withVariable, /^curl -X POST 'http.*\/v1\/calls/)
  t.match(withVariable, '-H "Authorization: Bearer $TOKEN"')
  t.notMatch(withVariable, /eyJ/)

  await wire.getByLabel('Token in curl').check()
  const run = async (command: string) => {
    const { stdout } = await promisify(execFile)('bash', ['-c', command.replace('curl', 'curl -sS')])
    return JSON.parse(stdout)
  }
  t.match(await run(await copied('GET /v1/snapshot')), { calls: [{ state: 'connected' }] })
  t.match(await run(await copied('call.incoming')), { events: [{ type: 'call.incoming' }] })
})

t.test('the timeline says what a call waits for, and since when', async t => {
  const opened = await openPlayground(t, browser)
  const { alice, bob, timeline, wire } = opened
  const status = timeline.getByRole('status')
  await alice.getByRole('button', { name: 'Call', exact: true }).click()
  await status.getByText('Waits for bob: no accept arrived').waitFor()
  t.match(await timeline.locator('.elapsed').textContent(), /^\d+\.\d s$/)
  await bob.getByRole('button', { name: 'Decline' }).click()
  await status.getByText('Ended: declined').waitFor()

  // Of one person only: those that arrive wait, too, or alice would answer bob's checks at once.
  await alice.getByText('Break the network').click()
  await alice.getByLabel('Delay candidates by 2 s').check()
  await alice.getByRole('button', { name: 'Call', exact: true }).click()
  await bob.getByRole('button', { name: 'Answer' }).click()
  await status.getByText('Waits for media').waitFor()
  await connected(opened)
  await timeline.locator('.stall:empty').waitFor({ state: 'attached' })
  await alice.getByText('Healed: candidates came 2 s late').waitFor()
  const notes = wire.getByRole('listitem').filter({ hasText: 'held back for 2 s' })
  t.ok((await notes.filter({ hasText: /POST .*candidates/ }).count()) > 0, 'sent')
  t.ok((await notes.filter({ hasText: 'signal.candidates' }).count()) > 0, 'received')
})

t.test('a call survives a dropped stream, a proxy that buffers, and five seconds offline', async t => {
  const opened = await openPlayground(t, browser)
  const { alice, bob } = opened
  await call(opened)
  await bob.getByText('Break the network').click()
  const says = async (text: string) => {
    await alice.getByRole('textbox', { name: 'Message of alice' }).fill(text)
    await alice.getByRole('button', { name: 'Send' }).click()
    await bob.getByRole('log').getByText(text).waitFor()
  }
  await bob.getByRole('button', { name: 'Drop my stream' }).click()
  await says('after the drop')
  await bob.getByText('2 streams opened').waitFor()
  await bob.getByText(/^Healed in \d+\.\d s by a new stream: nothing was lost$/).waitFor()

  await bob.getByLabel('Hold streams back').check()
  await bob.getByText('long-poll', { exact: true }).waitFor()
  await says('by long-poll')
  await bob.getByText(/^Healed in \d+\.\d s by long-poll: nothing was lost$/).waitFor()
  await bob.getByLabel('Hold streams back').uncheck()
  await bob.getByText('live stream').waitFor()

  await bob.getByRole('button', { name: 'Offline for 5 s' }).click()
  await says('while bob is offline')
  await bob.getByText('live stream').waitFor()
  await seesPicture(bob)
  await connected(opened)
  t.match(await bob.locator('.counts').textContent(), /^\d+ events, \d+ repeated, 0 gaps/)
})

t.test('people meet in a room, chat, and leave', async t => {
  const { page } = await openPlayground(t, browser)
  await page.getByRole('tab', { name: 'Room' }).click()
  const [alice, bob] = ['alice', 'bob'].map(name => page.getByRole('region', { name })) as [Locator, Locator]
  for (const person of [alice, bob]) await person.getByRole('button', { name: 'Join' }).click()
  await alice.getByText('2 in the room, p2p').waitFor()
  await seesPicture(alice, 'bob, as alice sees it')
  await seesPicture(bob, 'alice, as bob sees it')
  await bob.getByRole('textbox', { name: 'Message of bob to the room' }).fill('Hello')
  await bob.getByRole('button', { name: 'Send' }).click()
  await alice.getByRole('log').getByText('Hello').waitFor()
  await bob.getByRole('button', { name: 'Leave' }).click()
  await alice.getByText('1 in the room, p2p').waitFor()
  t.equal(await alice.locator('.tile').count(), 1)
})

t.test('a call goes on when the page of both people is reloaded', async t => {
  const opened = await openPlayground(t, browser)
  const { page, alice, bob, timeline } = opened
  await call(opened)
  await page.reload()
  await connected(opened)
  await Promise.all([seesPicture(alice), seesPicture(bob)])
  await bob.getByRole('button', { name: 'Hang up' }).click()
  await alice.getByText('Call ended: hangup').waitFor()
  await timeline.getByText('Ended: hangup').waitFor()
})

t.test('the wire follows the newest entry, unless its user reads an older one', async t => {
  const opened = await openPlayground(t, browser)
  const { page, wire } = opened
  await page.setViewportSize({ width: 1280, height: 700 })
  await call(opened)
  await page.setViewportSize({ width: 390, height: 844 })
  const list = wire.getByRole('list', { name: 'Requests and events' })
  const fromEnd = () => list.evaluate(each => each.scrollHeight - each.scrollTop - each.clientHeight)
  t.ok((await fromEnd()) < 2, 'at the end in another size')
  await list.evaluate(each => {
    each.scrollTop = 0
  })
  await opened.bob.getByRole('button', { name: 'Hang up' }).click()
  await wire.getByText('call.ended').first().waitFor()
  t.equal(await list.evaluate(each => each.scrollTop), 0)
})
