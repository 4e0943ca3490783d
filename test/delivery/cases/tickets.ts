// Tickets, for EventSource, which reconnects to the same URL by itself.
import { setImmediate } from 'node:timers/promises'
import type { Test } from 'tap'
import { until } from '../../helpers/until.js'
import type { Engine } from '../engines.js'
import { deliveryTest } from '../fixture.js'
import type { Node } from '../node.js'

async function issue(node: Node, as: string): Promise<{ ticket: string; expiresInMs: number }> {
  const reply = await fetch(`${node.url}/tickets`, { method: 'POST', headers: { authorization: as } })
  return (await reply.json()) as { ticket: string; expiresInMs: number }
}

export function ticketTests(t: Test, engine: Engine): void {
  const test = deliveryTest(t, engine)

  test('a ticket opens any number of streams as the device it was issued to', async (t, fixture, node) => {
    const { ticket, expiresInMs } = await issue(node, 'alice@example.com tablet')
    t.equal(expiresInMs, 60_000)
    const other = await fixture.node()
    for (const at of [node, other, node]) {
      const stream = await fixture.open(at, `?ticket=${ticket}`)
      await stream.next('hello')
      await fixture.leave(at, stream)
    }
    t.ok(node.connectionLog.includes('+alice@example.com/tablet fresh'))
  })

  for (const ticket of ['x', 'YWxpY2U.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'YSBi.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA']) {
    test(`the ticket «${ticket}» is refused`, async (t, fixture, node) => {
      const reply = await fetch(`${node.url}?ticket=${ticket}`)
      t.equal(reply.status, 401)
      t.match(await reply.json(), { code: 'invalid_ticket' })
      t.match(await fixture.poll(node, `?ticket=${ticket}`), { code: 'invalid_ticket' })
    })
  }

  test('a ticket expires with the token that issued it, also while it is used', async (t, fixture, node) => {
    const { ticket, expiresInMs } = await issue(node, `alice phone ${fixture.clock.now() + 20_000}`)
    t.equal(expiresInMs, 20_000)
    const stream = await fixture.open(node, `?ticket=${ticket}`)
    await stream.next('hello')
    fixture.clock.advance(20_000)
    t.match(await stream.next('end'), { data: { reason: 'auth_expired' } })
    t.equal((await fetch(`${node.url}?ticket=${ticket}`)).status, 401)
  })

  test('a ticket is revoked when its device signs off, and stays so when the device registers again', async (t, fixture, node) => {
    const { ticket } = await issue(node, 'alice phone')
    const other = await issue(node, 'alice laptop')
    const stream = await fixture.open(node, `?ticket=${ticket}`)
    await stream.next('hello')
    await fixture.store.mailboxes.remove('alice', 'phone')
    t.match(await stream.next('end'), { data: { reason: 'signed_off' } })
    t.equal((await fetch(`${node.url}?ticket=${ticket}`)).status, 401)
    await fixture.store.mailboxes.touch('alice', 'phone', { now: fixture.clock.now(), tag: 'again' })
    t.equal((await fetch(`${node.url}?ticket=${ticket}`)).status, 401)
    await (await fixture.open(node, `?ticket=${other.ticket}`)).next('hello')
  })

  // Tickets expire by the clock of the store. Only the memory engine shares the test's clock.
  if (engine.name !== 'memory') return

  test('an unused ticket expires after a minute', async (t, fixture, node) => {
    const { ticket } = await issue(node, 'alice')
    fixture.clock.advance(60_001)
    t.equal((await fetch(`${node.url}?ticket=${ticket}`)).status, 401)
  })

  test('a ticket is valid while its stream is open, and for two minutes afterwards', async (t, fixture, node) => {
    const { ticket } = await issue(node, 'alice')
    const stream = await fixture.open(node, `?ticket=${ticket}`)
    await stream.next('hello')
    for (let i = 0; i < 30; i++) {
      fixture.clock.advance(10_000)
      await setImmediate()
    }
    await fixture.leave(node, stream)
    fixture.clock.advance(110_000)
    const again = await fixture.open(node, `?ticket=${ticket}`)
    t.match(await again.next(), { type: 'hello' })
    await fixture.leave(node, again)
    await until('it has left', () => node.streams.count().sse === 0)
    fixture.clock.advance(121_000)
    t.equal((await fetch(`${node.url}?ticket=${ticket}`)).status, 401)
  })
}
