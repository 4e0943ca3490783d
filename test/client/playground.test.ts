// The playground, used by Chromium: calls, the wire, the timeline, and switches that break the network.
import t from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { call, openPlayground, seesPicture } from './playground-page.js'

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
