import type { Test } from 'tap'
import type { Wakeup } from '../../../src/store/store.js'
import { until } from '../../helpers/until.js'
import type { StoreFixture } from '../contract.js'
import { append, appendOf, call, chained, connect, mail, touch } from './fixtures.js'

export function wakeupContract(t: Test, fixture: StoreFixture): void {
  const { mailboxes, wakeups } = fixture.store

  async function listen(user: string) {
    const received: Wakeup[] = []
    const stop = await wakeups.subscribe(user, wakeup => received.push(wakeup))
    /** Resolves to all wake-ups once there are at least `count` events; other wake-ups count as one. */
    const atLeast = async (count: number) => {
      const size = (wakeup: Wakeup) => (wakeup.kind === 'event' ? wakeup.events.length : 1)
      await until(
        `${count} events or other wake-ups`,
        () => received.reduce((sum, each) => sum + size(each), 0) >= count
      )
      return received
    }
    return { received, stop, atLeast }
  }

  /** Resolves when all wake-ups sent before have arrived: wake-ups of one user arrive in order. */
  async function drain(user: string, received: readonly Wakeup[]) {
    const mark = fixture.id('last')
    await connect(fixture, user, mark, mark)
    await until('the last wake-up has arrived', () =>
      received.some(wakeup => wakeup.kind === 'claimed' && wakeup.device === mark)
    )
    return received.filter(wakeup => !('device' in wakeup) || wakeup.device !== mark)
  }

  t.test('a subscriber receives each event unchanged and in order, chained by tags', async t => {
    const bob = fixture.id('bob')
    await connect(fixture, bob, 'phone', 'c1')
    const { atLeast, stop } = await listen(bob)
    const sent = [mail('a'), { type: 'x', envelope: '{"text":"grüße | \\n \u2028"}' }, mail('c')]
    await append(fixture, bob, appendOf(1, { tag: 'one', entries: sent.slice(0, 2) }))
    await append(fixture, bob, appendOf(2, { tag: 'two', entries: sent.slice(2) }))
    const event = (seq: number, prevTag: string, tag: string) => {
      const { type = '', envelope = '' } = sent[seq - 1] ?? {}
      return { prevTag, seq, tag, type, envelope }
    }
    t.strictSame((await atLeast(3)).flatMap(chained), [
      event(1, 'birth', 'one'),
      event(2, 'one', 'one'),
      event(3, 'one', 'two')
    ])
    await stop()
  })

  t.test('the events of concurrent appends are received in the order of their numbers', async t => {
    const bob = fixture.id('bob')
    await connect(fixture, bob, 'phone', 'c1')
    const { atLeast, stop } = await listen(bob)
    const sources = Array.from({ length: 200 }, (_, n) => call(`c${n}`))
    await Promise.all(sources.map((source, n) => append(fixture, bob, appendOf(1, { source, tag: `t${n}` }))))
    let last = { seq: 0, tag: 'birth' }
    for (const event of (await atLeast(200)).flatMap(chained)) {
      if (event.seq !== last.seq + 1 || event.prevTag !== last.tag) t.fail(`the ${event.seq}th`)
      last = event
    }
    await stop()
  })

  t.test('an event wakes neither a device without a connection nor another user', async t => {
    const [bob, carol] = [fixture.id('bob'), fixture.id('carol')]
    await connect(fixture, bob, 'phone', 'c1')
    await touch(fixture, bob, 'laptop')
    await connect(fixture, carol, 'phone', 'c2')
    const { received, stop } = await listen(bob)
    await append(fixture, carol, appendOf(1))
    await append(fixture, bob, appendOf(1))
    const devices = (await drain(bob, received)).map(wakeup => ('device' in wakeup ? wakeup.device : ''))
    t.strictSame(devices, ['phone'])
    await stop()
  })

  t.test('a duplicate commit wakes no subscriber', async t => {
    const bob = fixture.id('bob')
    await connect(fixture, bob, 'phone', 'c1')
    const { received, stop } = await listen(bob)
    await append(fixture, bob, appendOf(1))
    await append(fixture, bob, appendOf(1))
    t.equal((await drain(bob, received)).length, 1)
    await stop()
  })

  t.test('subscribers receive a claim, a longer token, and the removal of the device', async t => {
    const bob = fixture.id('bob')
    await connect(fixture, bob, 'phone', 'c1')
    const { received, stop } = await listen(bob)
    await connect(fixture, bob, 'phone', 'c2')
    await touch(fixture, bob, 'phone', { connection: 'c2', claim: true, authExpiresAt: 3_000 })
    await touch(fixture, bob, 'phone', { connection: 'c1' })
    await touch(fixture, bob, 'phone', { authExpiresAt: 5_000 })
    await touch(fixture, bob, 'phone', { authExpiresAt: 4_000 })
    await touch(fixture, bob, 'phone', { authExpiresAt: 6_000.5 })
    await mailboxes.remove(bob, 'phone')
    await mailboxes.remove(bob, 'phone')
    const [claimed, first, second, ...rest] = await drain(bob, received)
    t.strictSame(claimed, { kind: 'claimed', device: 'phone', connection: 'c2' })
    t.strictSame(first, { kind: 'auth', device: 'phone', expiresAt: 5_000 })
    t.match(second, { kind: 'auth', device: 'phone' })
    t.strictSame(rest, [{ kind: 'gone', device: 'phone' }])
    await stop()
  })

  t.test(
    'of several subscribers of a user, one that unsubscribed receives nothing more, and the others do',
    async t => {
      const bob = fixture.id('bob')
      await connect(fixture, bob, 'phone', 'c1')
      const [first, second] = await Promise.all([listen(bob), listen(bob)])
      await append(fixture, bob, appendOf(1))
      await Promise.all([first.atLeast(1), second.atLeast(1)])
      await first.stop()
      await first.stop()
      await append(fixture, bob, appendOf(2))
      await second.atLeast(2)
      t.equal(first.received.length, 1)
      await second.stop()
      const third = await listen(bob)
      await append(fixture, bob, appendOf(3))
      await third.atLeast(1)
      t.strictSame([first.received.length, second.received.length], [1, 2])
      await third.stop()
    }
  )

  t.test('a subscriber that unsubscribed receives nothing more, not even wake-ups on their way', async t => {
    const bob = fixture.id('bob')
    await connect(fixture, bob, 'phone', 'c1')
    const { received, stop } = await listen(bob)
    await Promise.all([append(fixture, bob, appendOf(1)), stop()])
    t.strictSame(received, [])
  })

  t.test('a user who unsubscribes and subscribes at the same time is subscribed', async t => {
    const bob = fixture.id('bob')
    await connect(fixture, bob, 'phone', 'c1')
    const first = await listen(bob)
    const [, second] = await Promise.all([first.stop(), listen(bob)])
    await append(fixture, bob, appendOf(1))
    t.equal((await second.atLeast(1)).length, 1)
    await second.stop()
  })

  t.test('a notice reaches all current subscribers unchanged, and is kept nowhere', async t => {
    const [bob, carol] = [fixture.id('bob'), fixture.id('carol')]
    await connect(fixture, bob, 'phone', 'c1')
    await wakeups.notify(bob, { device: 'phone', type: 'early', envelope: '{}' })
    const [first, second, other] = await Promise.all([listen(bob), listen(bob), listen(carol)])
    const notice = { device: 'phone', type: 'x.y', envelope: '{"text":"grüße | \\n \u2028"}' }
    await wakeups.notify(bob, notice)
    for (const { atLeast, stop } of [first, second]) {
      t.strictSame(await atLeast(1), [{ kind: 'notice', ...notice }])
      await stop()
    }
    t.strictSame(await drain(carol, other.received), [])
    await other.stop()
    const kept = await mailboxes.read(bob, 'phone', {
      from: 'start',
      limit: 9,
      maxBytes: 1_048_576,
      now: fixture.clock.now()
    })
    t.match(kept, { status: 'ok', events: [] })
  })
}
