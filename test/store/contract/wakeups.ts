import type { Test } from 'tap'
import type { Wakeup } from '../../../src/store/store.js'
import { until } from '../../helpers/until.js'
import type { Lab } from '../contract.js'
import { append, appendOf, call, chained, connect, mail, touch } from './fixtures.js'

export function wakeupContract(t: Test, lab: Lab): void {
  const { mailboxes, wakeups } = lab.store

  async function listen(user: string) {
    const heard: Wakeup[] = []
    const stop = await wakeups.subscribe(user, wakeup => heard.push(wakeup))
    /** Resolves with all that was heard, as soon as there are so many: one wake-up may tell of several events. */
    const atLeast = async (count: number) => {
      const size = (wakeup: Wakeup) => (wakeup.kind === 'event' ? wakeup.events.length : 1)
      await until(`${count} are heard`, () => heard.reduce((sum, each) => sum + size(each), 0) >= count)
      return heard
    }
    return { heard, stop, atLeast }
  }

  /** Everything sent before it has arrived when this has: wake-ups of one user come in order. */
  async function fence(user: string, heard: readonly Wakeup[]) {
    const mark = lab.id('fence')
    await connect(lab, user, mark, mark)
    await until('the fence is heard', () => heard.some(wakeup => wakeup.kind === 'claimed' && wakeup.device === mark))
    return heard.filter(wakeup => !('device' in wakeup) || wakeup.device !== mark)
  }

  t.test('an open stream hears each event, whole and in order, chained by tags', async t => {
    const bob = lab.id('bob')
    await connect(lab, bob, 'phone', 'c1')
    const { atLeast, stop } = await listen(bob)
    const sent = [mail('a'), { type: 'x', envelope: '{"text":"grüße | \\n \u2028"}' }, mail('c')]
    await append(lab, bob, appendOf(1, { tag: 'one', entries: sent.slice(0, 2) }))
    await append(lab, bob, appendOf(2, { tag: 'two', entries: sent.slice(2) }))
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

  t.test('many appends at once are heard in the order of their numbers', async t => {
    const bob = lab.id('bob')
    await connect(lab, bob, 'phone', 'c1')
    const { atLeast, stop } = await listen(bob)
    const sources = Array.from({ length: 200 }, (_, n) => call(`c${n}`))
    await Promise.all(sources.map((source, n) => append(lab, bob, appendOf(1, { source, tag: `t${n}` }))))
    let last = { seq: 0, tag: 'birth' }
    for (const event of (await atLeast(200)).flatMap(chained)) {
      if (event.seq !== last.seq + 1 || event.prevTag !== last.tag) t.fail(`the ${event.seq}th`)
      last = event
    }
    await stop()
  })

  t.test('a device without a connection is not woken, nor is another user', async t => {
    const [bob, carol] = [lab.id('bob'), lab.id('carol')]
    await connect(lab, bob, 'phone', 'c1')
    await touch(lab, bob, 'laptop')
    await connect(lab, carol, 'phone', 'c2')
    const { heard, stop } = await listen(bob)
    await append(lab, carol, appendOf(1))
    await append(lab, bob, appendOf(1))
    const devices = (await fence(bob, heard)).map(wakeup => ('device' in wakeup ? wakeup.device : ''))
    t.strictSame(devices, ['phone'])
    await stop()
  })

  t.test('a duplicate wakes nobody', async t => {
    const bob = lab.id('bob')
    await connect(lab, bob, 'phone', 'c1')
    const { heard, stop } = await listen(bob)
    await append(lab, bob, appendOf(1))
    await append(lab, bob, appendOf(1))
    t.equal((await fence(bob, heard)).length, 1)
    await stop()
  })

  t.test('others hear of a claim, open streams of a longer token, and the stream of a sign-off', async t => {
    const bob = lab.id('bob')
    await connect(lab, bob, 'phone', 'c1')
    const { heard, stop } = await listen(bob)
    await connect(lab, bob, 'phone', 'c2')
    await touch(lab, bob, 'phone', { connection: 'c2', claim: true, authExpiresAt: 3_000 })
    await touch(lab, bob, 'phone', { connection: 'c1' })
    await touch(lab, bob, 'phone', { authExpiresAt: 5_000 })
    await touch(lab, bob, 'phone', { authExpiresAt: 4_000 })
    await touch(lab, bob, 'phone', { authExpiresAt: 6_000.5 })
    await mailboxes.remove(bob, 'phone')
    await mailboxes.remove(bob, 'phone')
    const [claimed, first, second, ...rest] = await fence(bob, heard)
    t.strictSame(claimed, { kind: 'claimed', device: 'phone', connection: 'c2' })
    t.strictSame(first, { kind: 'auth', device: 'phone', expiresAt: 5_000 })
    t.match(second, { kind: 'auth', device: 'phone' })
    t.strictSame(rest, [{ kind: 'gone', device: 'phone' }])
    await stop()
  })

  t.test('several listen to one user; who stopped hears no more, and the others go on', async t => {
    const bob = lab.id('bob')
    await connect(lab, bob, 'phone', 'c1')
    const [first, second] = await Promise.all([listen(bob), listen(bob)])
    await append(lab, bob, appendOf(1))
    await Promise.all([first.atLeast(1), second.atLeast(1)])
    await first.stop()
    await first.stop()
    await append(lab, bob, appendOf(2))
    await second.atLeast(2)
    t.equal(first.heard.length, 1)
    await second.stop()
    const third = await listen(bob)
    await append(lab, bob, appendOf(3))
    await third.atLeast(1)
    t.strictSame([first.heard.length, second.heard.length], [1, 2])
    await third.stop()
  })

  t.test('who has said stop hears nothing more, not even what is on its way', async t => {
    const bob = lab.id('bob')
    await connect(lab, bob, 'phone', 'c1')
    const { heard, stop } = await listen(bob)
    await Promise.all([append(lab, bob, appendOf(1)), stop()])
    t.strictSame(heard, [])
  })

  t.test('stopping and starting at the same time ends up listening', async t => {
    const bob = lab.id('bob')
    await connect(lab, bob, 'phone', 'c1')
    const first = await listen(bob)
    const [, second] = await Promise.all([first.stop(), listen(bob)])
    await append(lab, bob, appendOf(1))
    t.equal((await second.atLeast(1)).length, 1)
    await second.stop()
  })

  t.test('a notice reaches whoever listens, whole, and is kept nowhere', async t => {
    const [bob, carol] = [lab.id('bob'), lab.id('carol')]
    await connect(lab, bob, 'phone', 'c1')
    await wakeups.notify(bob, { device: 'phone', type: 'early', envelope: '{}' })
    const [first, second, other] = await Promise.all([listen(bob), listen(bob), listen(carol)])
    const notice = { device: 'phone', type: 'x.y', envelope: '{"text":"grüße | \\n \u2028"}' }
    await wakeups.notify(bob, notice)
    for (const { atLeast, stop } of [first, second]) {
      t.strictSame(await atLeast(1), [{ kind: 'notice', ...notice }])
      await stop()
    }
    t.strictSame(await fence(carol, other.heard), [])
    await other.stop()
    const kept = await mailboxes.read(bob, 'phone', {
      from: 'start',
      limit: 9,
      maxBytes: 1_048_576,
      now: lab.clock.now()
    })
    t.match(kept, { status: 'ok', events: [] })
  })
}
