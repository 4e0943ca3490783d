// A live stream delivers every event once and in order, though wake-ups are lost, late or reordered and the store is unavailable at times.
import type { Test } from 'tap'
import { AppError } from '../../../src/errors.js'
import type { Store, Wakeup } from '../../../src/store/store.js'
import { until } from '../../helpers/until.js'
import type { Engine } from '../engines.js'
import { deliveryTest } from '../fixture.js'

/** The same store. `forward` gets each wake-up and its listener, and may drop, delay or reorder it. */
function withWakeups(store: Store, forward: (wakeup: Wakeup, listen: (wakeup: Wakeup) => void) => void): Store {
  const wakeups: Store['wakeups'] = {
    ...store.wakeups,
    subscribe: (user, listen) => store.wakeups.subscribe(user, wakeup => forward(wakeup, listen))
  }
  return { ...store, wakeups }
}

/** The same store, unavailable while `isDown`. */
function withOutages(store: Store, isDown: () => boolean): Store {
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

export function liveTests(t: Test, engine: Engine): void {
  const test = deliveryTest(t, engine)

  test('a heartbeat has the cursor', async (t, fixture, node) => {
    const stream = await fixture.open(node)
    await stream.next('hello')
    await fixture.appendNumbered(1)
    const { id } = await stream.next('call.ringing')
    fixture.clock.advance(15_000)
    t.match(await stream.next('heartbeat'), { id: undefined, data: { cursor: id } })
    t.equal(stream.lastEventId, id)
    fixture.clock.advance(15_000)
    t.match(await stream.next('heartbeat'), { data: { cursor: id } })
  })

  test('a notice arrives once the stream is live, without an id', async (t, fixture, node) => {
    const notify = (n: number) => {
      const envelope = JSON.stringify({ type: 'chat.typing', timestamp: '', data: { n } })
      return fixture.store.wakeups.notify('alice', { device: 'phone', type: 'chat.typing', envelope })
    }
    const stream = await fixture.open(node)
    await notify(1)
    await stream.next('hello')
    await fixture.appendNumbered(1)
    const { id } = await stream.next('call.ringing')
    await notify(2)
    t.match(await stream.next(), { id: undefined, type: 'chat.typing', data: { n: 2 } })
    t.equal(stream.lastEventId, id)
    await fixture.appendNumbered(2)
    t.match(await stream.next(), { type: 'call.ringing', data: { n: 2 } })
  })

  test('the next refresh finds an event whose wake-up was lost', async (t, fixture) => {
    const node = await fixture.node(withWakeups(fixture.store, () => {}))
    const stream = await fixture.open(node)
    await stream.next('hello')
    await fixture.appendNumbered(1, 3)
    t.same(stream.waiting(), [], 'nothing has arrived')
    fixture.clock.advance(10_000)
    for (const n of [1, 2, 3]) t.match(await stream.next('call.ringing'), { data: { n } })
  })

  test('after a gap the mailbox is read again', async (t, fixture) => {
    let wake: (wakeup: Wakeup) => void = () => {}
    const node = await fixture.node(
      withWakeups(fixture.store, (_, listen) => {
        wake = listen
      })
    )
    const stream = await fixture.open(node)
    await stream.next('hello')
    await fixture.appendNumbered(1, 3)
    await until('the stream is subscribed', () => wake.length > 0)
    wake({ kind: 'gap' })
    for (const n of [1, 2, 3]) t.match(await stream.next(), { type: 'call.ringing', data: { n } })
  })

  test('wake-ups that are reordered, repeated or lost: each event arrives in order and once', async (t, fixture) => {
    const held: [Wakeup, (wakeup: Wakeup) => void][] = []
    const node = await fixture.node(
      withWakeups(fixture.store, (wakeup, listen) => {
        held.push([wakeup, listen])
      })
    )
    const stream = await fixture.open(node)
    await stream.next('hello')
    await fixture.appendNumbered(1, 20)
    await until('all wake-ups have arrived', () => held.filter(([{ kind }]) => kind === 'event').length === 20)
    for (const i of [19, 3, 4, 0, 0, 7, 19, 1, 12]) {
      const [wakeup, listen] = held.filter(([{ kind }]) => kind === 'event')[i] ?? []
      if (wakeup) listen?.(wakeup)
    }
    for (let n = 1; n <= 20; n++) t.match(await stream.next(), { data: { n } })
    await fixture.appendNumbered(21)
    const last = held.at(-1)
    await until('the last wake-up has arrived', () => held.at(-1) !== last || held.length > 20)
    fixture.clock.advance(10_000)
    t.match(await stream.next('call.ringing'), { data: { n: 21 } })
  })

  test('a live stream gets a reset when its device record is lost', async (t, fixture) => {
    const node = await fixture.node(withWakeups(fixture.store, () => {}))
    const stream = await fixture.open(node)
    await stream.next('hello')
    await fixture.appendNumbered(1, 2)
    fixture.clock.advance(10_000)
    await stream.next('call.ringing')
    await stream.next('call.ringing')
    await fixture.store.mailboxes.remove('alice', 'phone')
    fixture.clock.advance(10_000)
    t.match(await stream.next('reset'), { id: /^0\./, data: { reason: 'future' } })
    await fixture.appendNumbered(3)
    fixture.clock.advance(10_000)
    t.match(await stream.next('call.ringing'), { id: /^1\./, data: { n: 3 } })
  })

  test('streams stay open while the store is unavailable and continue afterwards', async (t, fixture) => {
    let isDown = false
    const node = await fixture.node(
      withOutages(
        withWakeups(fixture.store, () => {}),
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
    await fixture.appendNumbered(1)
    isDown = false
    fixture.clock.advance(10_000)
    t.match(await stream.next('call.ringing'), { data: { n: 1 } })
  })

  test('a device is online while its stream is open', async (t, fixture, node) => {
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

  test('two devices of a user share a subscription and get their own events', async (t, fixture, node) => {
    const phone = await fixture.open(node, '', { as: 'alice phone' })
    const laptop = await fixture.open(node, '', { as: 'alice laptop' })
    await phone.next('hello')
    await laptop.next('hello')
    t.equal(node.users(), 1)
    const envelope = '{"type":"call.ended","timestamp":"2026-11-21T10:00:00.000Z","data":{}}'
    await fixture.appendEntries([{ type: 'call.ended', envelope, device: 'laptop' }])
    await fixture.appendNumbered(1)
    t.match(await laptop.next(), { type: 'call.ended' })
    t.match(await laptop.next(), { type: 'call.ringing' })
    t.match(await phone.next(), { type: 'call.ringing' })
    await fixture.leave(node, phone)
    await fixture.appendNumbered(2)
    t.match(await laptop.next(), { data: { n: 2 } })
  })
}
