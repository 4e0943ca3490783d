// Transfers in the playground: alice and bob are on one page, carol is on another one.
import type { Locator } from 'playwright-core'
import t, { type Test } from 'tap'
import { launchChromium } from '../browser/chromium.js'
import { call, openPlayground, type Playground, seesPicture } from './playground-page.js'

const browser = await launchChromium(t)

const press = (person: Locator, name: string) => person.getByRole('button', { name, exact: true }).click()
const note = (person: Locator, name: string, text: string) =>
  person
    .getByRole('status', { name: `Transfer of ${name}` })
    .filter({ hasText: text })
    .waitFor()

async function openCarol(t: Test, { page, url }: Playground): Promise<Locator> {
  const other = await page.context().newPage()
  other.on('pageerror', error => t.fail(error.message))
  await other.goto(`${url}#person=carol`)
  const carol = other.getByRole('region', { name: 'carol' })
  await carol.getByText('live stream').waitFor()
  return carol
}

async function isInACallWithCarol({ alice, bob }: Playground, carol: Locator): Promise<void> {
  await alice.getByText('In a call with carol').waitFor()
  await carol.getByText('In a call with alice').waitFor()
  await bob.getByText('Call ended: transferred').waitFor()
  await Promise.all([seesPicture(alice), seesPicture(carol)])
}

t.test('bob transfers alice to carol, who declines, is spared, and then answers', async t => {
  const opened = await openPlayground(t, browser)
  const { alice, bob, timeline } = opened
  await call(opened)
  await press(bob, 'Transfer')
  await bob.getByRole('link', { name: 'Open carol in another window' }).waitFor()
  const carol = await openCarol(t, opened)

  await press(bob, 'Transfer')
  await carol.getByText('alice is calling, transferred by bob').waitFor()
  await note(alice, 'alice', 'bob transfers the call: carol rings')
  await press(carol, 'Decline')
  for (const [person, name] of [
    [alice, 'alice'],
    [bob, 'bob']
  ] as const)
    await note(person, name, 'carol has not taken the call: declined')

  await press(bob, 'Transfer')
  await carol.getByText('alice is calling').waitFor()
  await press(bob, 'Take back')
  await note(bob, 'bob', 'carol has not taken the call: cancelled')
  await seesPicture(alice)

  await press(bob, 'Transfer')
  await press(carol, 'Answer')
  await isInACallWithCarol(opened, carol)
  await note(alice, 'alice', 'bob has transferred the call to carol')
  const steps = timeline.getByRole('list', { name: 'Steps of the call' })
  await steps.getByText('bob: transfers the call: to carol').first().waitFor()
})

t.test('bob asks carol first, goes back to alice, asks again, and joins both', async t => {
  const opened = await openPlayground(t, browser)
  const { alice, bob } = opened
  await call(opened)
  const carol = await openCarol(t, opened)
  await press(bob, 'Ask first')
  await alice.getByText('On hold').waitFor()
  await press(carol, 'Decline')
  await bob.getByText('In a call with alice').waitFor()
  await alice.getByText('In a call with bob').waitFor()
  await seesPicture(bob)

  await press(bob, 'Ask first')
  await press(carol, 'Answer')
  await bob.getByText('In a call with carol').waitFor()
  await press(bob, 'Join both')
  await isInACallWithCarol(opened, carol)
})
