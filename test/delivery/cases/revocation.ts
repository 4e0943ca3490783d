// Streams and polls whose token is revoked: before they open, while they open, and while they are open.
import type { Test } from 'tap'
import type { Revocation } from '../../../src/store/revocations.js'
import { until } from '../../helpers/until.js'
import type { Engine } from '../engines.js'
import { type DeliveryFixture, deliveryTest } from '../fixture.js'

/** The tokens of the fixture do not say when they were issued, so any revocation refuses them. */
const revoke = ({ store, clock }: DeliveryFixture, parts: Partial<Revocation> = {}) => {
  const revocation = { user: 'alice', device: null, kind: 'sign_out' as const, issuedAfter: 1, at: clock.now() }
  return store.revocations.put({ ...revocation, expiresAt: clock.now() + 60_000, ...parts }, { max: 100 })
}

export function revocationTests(t: Test, engine: Engine): void {
  const test = deliveryTest(t, engine)

  test('a sign-out ends the streams of the user on every node, and no other', async (t, fixture, node) => {
    const other = await fixture.node()
    const own = [await fixture.open(node, '', { as: 'alice phone' }), await fixture.open(other, '', { as: 'alice tv' })]
    const bob = await fixture.open(other, '', { as: 'bob phone' })
    for (const stream of [...own, bob]) await stream.next('hello')
    await revoke(fixture)
    for (const stream of own) {
      t.match(await stream.next(), { id: undefined, type: 'end', data: { reason: 'signed_out', reconnect: false } })
      await stream.ended()
      t.equal(stream.isComplete(), true, 'so that no client comes back by itself')
    }
    await until('only that of bob is open', () => node.streams.count().sse + other.streams.count().sse === 1)
    t.strictSame(bob.waiting(), [])
  })

  test('a sign-out of one device leaves the others', async (t, fixture, node) => {
    const phone = await fixture.open(node, '', { as: 'alice phone' })
    const tv = await fixture.open(node, '', { as: 'alice tv' })
    for (const stream of [phone, tv]) await stream.next('hello')
    await revoke(fixture, { device: 'phone' })
    t.match(await phone.next(), { data: { reason: 'signed_out' } })
    await fixture.appendNumbered(1)
    t.match(await tv.next(), { data: { n: 1 } })
  })

  test('a stream whose token is too old ends as auth_expired', async (t, fixture, node) => {
    const stream = await fixture.open(node)
    await stream.next('hello')
    await revoke(fixture, { kind: 'tokens' })
    t.match(await stream.next(), { data: { reason: 'auth_expired', reconnect: false } })
  })

  test('a waiting poll is answered token_revoked', async (t, fixture, node) => {
    const other = await fixture.node()
    const { cursor } = await fixture.poll(other)
    const waiting = fixture.poll(other, `?cursor=${cursor}&wait=20`)
    await until('the poll waits', () => other.streams.count().poll === 1 && node.users() + other.users() === 1)
    await fixture.settle()
    await revoke(fixture)
    t.match(await waiting, { status: 401, code: 'token_revoked' })
  })

  test('a stream or poll that was authenticated before the revocation and opens after it gets nothing', async (t, fixture, node) => {
    await revoke(fixture)
    const stream = await fixture.open(node)
    t.match(await stream.next(), { type: 'end', data: { reason: 'signed_out' } })
    await stream.ended()
    t.match(await fixture.poll(node), { status: 401, code: 'token_revoked' })
    t.strictSame(await fixture.store.mailboxes.devices('alice', fixture.clock.now()), [], 'no device is registered')
  })

  test('a revocation that arrives while the stream joins ends it', async (t, fixture) => {
    let join = () => {}
    const joined = new Promise<void>(resolve => {
      join = resolve
    })
    let joining = 0
    const { wakeups } = fixture.store
    const subscribe: typeof wakeups.subscribe = async (...args) => {
      joining++
      await joined
      return wakeups.subscribe(...args)
    }
    const node = await fixture.node({ ...fixture.store, wakeups: { ...wakeups, subscribe } })
    const opening = fixture.open(node, '', { as: 'alice phone' })
    const poll = fixture.poll(node, '', { as: 'alice tv' })
    await until('both join', () => joining === 1 && node.streams.count().poll === 1)
    await revoke(fixture)
    t.match(await (await opening).next(), { type: 'end', data: { reason: 'signed_out' } })
    join()
    t.match(await poll, { status: 401, code: 'token_revoked' })
    t.strictSame(await fixture.store.mailboxes.devices('alice', fixture.clock.now()), [])
  })
}
