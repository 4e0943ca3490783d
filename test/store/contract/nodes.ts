import type { Test } from 'tap'
import { NODE_ALIVE_MS, NODE_KEPT_MS } from '../../../src/store/nodes.js'
import type { StoreFixture } from '../contract.js'

export function nodeContract(t: Test, fixture: StoreFixture): void {
  const { nodes } = fixture.store
  const now = () => fixture.clock.now()
  const report = (node: string, text = '{}') => nodes.report(node, { text, now: now() })
  const order = (node: string, drain: boolean) => nodes.order(node, { drain, now: now() })
  const listed = async () => (await nodes.list(now())).map(({ node }) => node).sort()

  t.test('a node is listed with its last report until it has not reported for some time, or has ended', async t => {
    fixture.clock.advance(NODE_KEPT_MS)
    const [one, two] = [fixture.id('node'), fixture.id('node')]
    await report(one, '1')
    await report(two, '2')
    await report(one, '3')
    t.strictSame(await listed(), [one, two].sort())
    const [first] = (await nodes.list(now())).filter(({ node }) => node === one)
    t.strictSame(first, { node: one, text: '3', seenAt: now() })
    fixture.clock.advance(NODE_ALIVE_MS - 1)
    await report(two)
    t.strictSame(await listed(), [one, two].sort())
    fixture.clock.advance(1)
    t.strictSame(await listed(), [two])
    await report(one)
    await nodes.remove(one)
    await nodes.remove(one)
    t.strictSame(await listed(), [two])
    await nodes.remove(two)
  })

  t.test('each report returns the last order for the node, and a node that does not live gets none', async t => {
    const [one, two] = [fixture.id('node'), fixture.id('node')]
    t.equal(await order(one, true), false, 'unknown')
    t.equal(await report(one), null)
    t.equal(await report(two), null)
    t.equal(await order(one, true), true)
    t.strictSame([await report(one), await report(one), await report(two)], ['drain', 'drain', null])
    t.equal(await order(one, false), true)
    t.equal(await order(one, false), true)
    t.equal(await report(one), 'resume')
    await order(two, true)
    fixture.clock.advance(NODE_ALIVE_MS)
    t.equal(await order(two, false), false, 'it may be dead')
    t.equal(await report(two), 'drain', 'it was not')
    fixture.clock.advance(NODE_KEPT_MS)
    await report(one)
    t.equal(await report(two), null, 'forgotten')
    for (const node of [one, two]) await nodes.remove(node)
  })
}
