// A stream that is live: hints may be lost, late or out of order, and the store may go away; the client sees none of it.
import type { Test } from 'tap'
import { AppError } from '../../../src/errors.js'
import type { Store, Wakeup } from '../../../src/store/store.js'
import { until } from '../../helpers/until.js'
import type { Engine } from '../engines.js'
import { teller } from '../fixture.js'

/** The same store over a line that may lose or reorder what it says. `carry` gets each wake-up and the way on. */
function overLine(store: Store, carry: (wakeup: Wakeup, listen: (wakeup: Wakeup) => void) => void): Store {
  const wakeups: Store['wakeups'] = {
    ...store.wakeups,
    subscribe: (user, listen) => store.wakeups.subscribe(user, wakeup => carry(wakeup, listen))
  }
  return { ...store, wakeups }
}

/** The same store, out of reach while `isDown`. */
function outOfReach(store: Store, isDown: () => boolean): Store {
  const guard =
    <A extends unknown[], R>(run: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (isDown()) throw new AppError('store_unavailable')
      return run(...args)
    }
  const { read, closeConnection, touch } = store.mailboxes
  const guarded = { read: guard(read), closeConnection: guard(closeConnection), touch: guard(touch) }
  return { ...store, mailboxes: { ...store.mailboxes, ...guarded } }
}

export function liveStories(t: Test, engine: Engine): void {
  const tell = teller(t, engine)

  tell('a heartbeat tells the cursor', async (t, fixture, node) => {
    const stream = await fixture.open(node)
    await stream.next('hello')
    await fixture.say(1)
    const { id } = await stream.next('call.ringing')
    fixture.clock.advance(15_000)
    t.match(await stream.next('heartbeat'), { id: undefined, data: { cursor: id } })
    t.equal(stream.lastEventId, id)
    fixture.clock.advance(15_000)
    t.match(await stream.next('heartbeat'), { data: { cursor: id } })
  })

  tell('what is said in passing comes once the stream is live, without an id', async (t, fixture, node) => {
    const passing = (n: number) => {
      const envelope = JSON.stringify({ type: 'chat.typing', timestamp: '', data: { n } })
      return fixture.store.wakeups.notify('alice', { device: 'phone', type: 'chat.typing', envelope })
    }
    const stream = await fixture.open(node)
    await passing(1)
    await stream.next('hello')
    await fixture.say(1)
    const { id } = await stream.next('call.ringing')
    await passing(2)
    t.match(await stream.next(), { id: undefined, type: 'chat.typing', data: { n: 2 } })
    t.equal(stream.lastEventId, id)
    await fixture.say(2)
    t.match(await stream.next(), { type: 'call.ringing', data: { n: 2 } })
  })

  tell('a lost wake-up is found by the next audit', async (t, fixture) => {
    const node = await fixture.node(overLine(fixture.store, () => {}))
    const stream = await fixture.open(node)
    await stream.next('hello')
    await fixture.say(1, 3)
    t.same(stream.waiting(), [], 'nothing was heard')
    fixture.clock.advance(10_000)
    for (const n of [1, 2, 3]) t.match(await stream.next('call.ringing'), { data: { n } })
  })

  tell('after a gap in the line the mailbox is read again', async (t, fixture) => {
    let says: (wakeup: Wakeup) => void = () => {}
    const node = await fixture.node(
      overLine(fixture.store, (_, listen) => {
        says = listen
      })
    )
    const stream = await fixture.open(node)
    await stream.next('hello')
    await fixture.say(1, 3)
    await until('the line was told', () => says.length > 0)
    says({ kind: 'gap' })
    for (const n of [1, 2, 3]) t.match(await stream.next(), { type: 'call.ringing', data: { n } })
  })

  tell('wake-ups in any order, doubled and with holes, are told in order and once', async (t, fixture) => {
    const held: [Wakeup, (wakeup: Wakeup) => void][] = []
    const node = await fixture.node(
      overLine(fixture.store, (wakeup, listen) => {
        held.push([wakeup, listen])
      })
    )
    const stream = await fixture.open(node)
    await stream.next('hello')
    await fixture.say(1, 20)
    await until('all hints have come', () => held.filter(([{ kind }]) => kind === 'event').length === 20)
    for (const i of [19, 3, 4, 0, 0, 7, 19, 1, 12]) {
      const [wakeup, listen] = held.filter(([{ kind }]) => kind === 'event')[i] ?? []
      if (wakeup) listen?.(wakeup)
    }
    for (let n = 1; n <= 20; n++) t.match(await stream.next(), { data: { n } })
    await fixture.say(21)
    const last = held.at(-1)
    await until('the last hint has come', () => held.at(-1) !== last || held.length > 20)
    fixture.clock.advance(10_000)
    t.match(await stream.next('call.ringing'), { data: { n: 21 } })
  })

  tell('a record that was lost under a live stream is a reset in it', async (t, fixture) => {
    const node = await fixture.node(overLine(fixture.store, () => {}))
    const stream = await fixture.open(node)
    await stream.next('hello')
    await fixture.say(1, 2)
    fixture.clock.advance(10_000)
    await stream.next('call.ringing')
    await stream.next('call.ringing')
    await fixture.store.mailboxes.remove('alice', 'phone')
    fixture.clock.advance(10_000)
    t.match(await stream.next('reset'), { id: /^0\./, data: { reason: 'future' } })
    await fixture.say(3)
    fixture.clock.advance(10_000)
    t.match(await stream.next('call.ringing'), { id: /^1\./, data: { n: 3 } })
  })

  tell('a store out of reach leaves streams open, and they go on when it is back', async (t, fixture) => {
    let isDown = false
    const node = await fixture.node(
      outOfReach(
        overLine(fixture.store, () => {}),
        () => isDown
      )
    )
    const stream = await fixture.open(node)
    await stream.next('hello')
    isDown = true
    fixture.clock.advance(60_000)
    await stream.next('heartbeat')
    const late = await fixture.open(node, '', { as: 'bob' })
    t.match(await late.next(), { type: 'end', data: { reason: 'store_unavailable', reconnect: true, afterMs: Number } })
    await late.ended()
    t.match(await fixture.poll(node), { status: 503, code: 'store_unavailable' })
    await fixture.say(1)
    isDown = false
    fixture.clock.advance(10_000)
    t.match(await stream.next('call.ringing'), { data: { n: 1 } })
  })

  tell('a device is online while its stream is open', async (t, fixture, node) => {
    const isOnline = async () => (await fixture.store.mailboxes.devices('alice', fixture.clock.now()))[0]?.online
    const stream = await fixture.open(node)
    await stream.next('hello')
    t.equal(await isOnline(), true)
    for (let i = 0; i < 8; i++) {
      fixture.clock.advance(15_000)
      await until('presence was renewed', isOnline)
      await stream.next('heartbeat')
    }
    await fixture.leave(node, stream)
    t.equal(await isOnline(), false)
    t.same(node.connectionLog, ['+alice/phone fresh', '-alice/phone'])
  })

  tell('two devices of a user share a subscription and hear what is theirs', async (t, fixture, node) => {
    const phone = await fixture.open(node, '', { as: 'alice phone' })
    const laptop = await fixture.open(node, '', { as: 'alice laptop' })
    await phone.next('hello')
    await laptop.next('hello')
    t.equal(node.users(), 1)
    const envelope = '{"type":"call.ended","timestamp":"2026-11-21T10:00:00.000Z","data":{}}'
    await fixture.append([{ type: 'call.ended', envelope, device: 'laptop' }])
    await fixture.say(1)
    t.match(await laptop.next(), { type: 'call.ended' })
    t.match(await laptop.next(), { type: 'call.ringing' })
    t.match(await phone.next(), { type: 'call.ringing' })
    await fixture.leave(node, phone)
    await fixture.say(2)
    t.match(await laptop.next(), { data: { n: 2 } })
  })
}
