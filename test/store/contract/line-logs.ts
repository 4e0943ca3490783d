import type { Test } from 'tap'
import type { StoreFixture } from '../contract.js'

export function lineLogContract(t: Test, fixture: StoreFixture): void {
  for (const name of ['deliveryLog', 'callNotes'] as const) {
    t.test(`${name}: the newest lines are kept and listed oldest first`, async t => {
      const log = fixture.store[name]
      const bounds = { max: 4, keepMs: 60_000 }
      const [id, other] = [fixture.id('x'), fixture.id('x')]
      t.strictSame(await log.list(id, 10), [])
      await log.add(id, [], bounds)
      await log.add(id, ['grüße | "1"'], bounds)
      await log.add(id, ['2', '3'], bounds)
      t.strictSame(await log.list(id, 10), ['grüße | "1"', '2', '3'])
      t.strictSame(await log.list(id, 2), ['2', '3'])
      await log.add(id, ['4', '5', '6'], bounds)
      t.strictSame(await log.list(id, 10), ['3', '4', '5', '6'])
      await log.add(id, ['a', 'b', 'c', 'd', 'e', 'f'], bounds)
      t.strictSame(await log.list(id, 10), ['c', 'd', 'e', 'f'])
      t.strictSame(await log.list(other, 10), [])
    })
  }
}
