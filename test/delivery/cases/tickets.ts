// Tickets: for EventSource, which comes back to the same URL by itself.
import { setImmediate } from 'node:timers/promises'
import type { Test } from 'tap'
import { until } from '../../helpers/until.js'
import type { Engine } from '../engines.js'
import { teller } from '../fixture.js'
import type { Node } from '../node.js'

async function issue(node: Node, as: string): Promise<{ ticket: string; expiresInMs: number }> {
  const reply = await fetch(`${node.url}/tickets`, { method: 'POST', headers: { authorization: as } })
  return (await reply.json()) as { ticket: string; expiresInMs: number }
}

export function ticketStories(t: Test, engine: Engine): void {
  const tell = teller(t, engine)

  tell('a ticket opens a stream as the one it was issued to, again and again', async (t, fixture, node) => {
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
    tell(`the ticket «${ticket}» opens nothing`, async (t, fixture, node) => {
      const reply = await fetch(`${node.url}?ticket=${ticket}`)
      t.equal(reply.status, 401)
      t.match(await reply.json(), { code: 'invalid_ticket' })
      t.match(await fixture.poll(node, `?ticket=${ticket}`), { code: 'invalid_ticket' })
    })
  }

  tell('a ticket ends with the token that issued it, however lively it is', async (t, fixture, node) => {
    const { ticket, expiresInMs } = await issue(node, `alice phone ${fixture.clock.now() + 20_000}`)
    t.equal(expiresInMs, 20_000)
    const stream = await fixture.open(node, `?ticket=${ticket}`)
    await stream.next('hello')
    fixture.clock.advance(20_000)
    t.match(await stream.next('end'), { data: { reason: 'auth_expired' } })
    t.equal((await fetch(`${node.url}?ticket=${ticket}`)).status, 401)
  })

  tell(
    'a ticket ends when its device signs off, and the next registration does not bring it back',
    async (t, fixture, node) => {
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
    }
  )

  // How long a ticket lives is counted by the store, whose clock only the memory engine shares with the test.
  if (engine.name !== 'memory') return

  tell('a ticket that nobody used lapses after a minute', async (t, fixture, node) => {
    const { ticket } = await issue(node, 'alice')
    fixture.clock.advance(60_001)
    t.equal((await fetch(`${node.url}?ticket=${ticket}`)).status, 401)
  })

  tell('an open stream keeps its ticket alive, and two minutes without one end it', async (t, fixture, node) => {
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
