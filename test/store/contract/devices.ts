import type { Test } from 'tap'
import type { Cursor } from '../../../src/store/store.js'
import type { StoreFixture } from '../contract.js'
import { commitOf, connect, fill, read, texts, touch } from './fixtures.js'

export function deviceContract(t: Test, fixture: StoreFixture): void {
  const { mailboxes } = fixture.store
  const state = async (user: string, device: string) =>
    (await mailboxes.devices(user, fixture.clock.now())).find(found => found.device === device)

  t.test('a touch registers a device once and is a keepalive', async t => {
    const bob = fixture.id('bob')
    t.strictSame(await mailboxes.devices(bob, fixture.clock.now()), [])
    t.equal((await touch(fixture, bob, 'phone', { tag: 'first' })).created, true)
    fixture.clock.advance(1_000)
    const again = await touch(fixture, bob, 'phone', { tag: 'second' })
    t.strictSame(again, {
      created: false,
      head: { seq: 0, tag: 'first' },
      connection: '',
      authExpiresAt: null,
      requestedAt: fixture.clock.now(),
      isInvolved: false,
      page: null
    })
    const seenAt = fixture.clock.now()
    const offline = { device: 'phone', online: false, onlineUntil: 0, left: false, status: '', connection: '' }
    t.strictSame(await state(bob, 'phone'), { ...offline, seenAt })
    await touch(fixture, bob, 'phone', { now: seenAt - 500 })
    t.equal((await state(bob, 'phone'))?.seenAt, seenAt, 'a touch with an older time changes nothing')
  })

  t.test('a touch with readFrom returns the same page as a read', async t => {
    const bob = fixture.id('bob')
    const bounds = { limit: 2, maxBytes: 10_000 }
    const from = (readFrom: Cursor | 'start', parts = {}) =>
      touch(fixture, bob, 'phone', { connection: 'c1', claim: true, readFrom, bounds, ...parts }).then(
        ({ page }) => page
      )
    t.match(await from('start', { tag: 'birth' }), { status: 'ok', events: [], head: { seq: 0, tag: 'birth' } })
    await fill(fixture, bob, 3)
    for (const cursor of ['start', { seq: 0, tag: 'birth' }, { seq: 2, tag: 'e2' }, { seq: 3, tag: 'e3' }] as const) {
      t.strictSame(await from(cursor), await read(fixture, bob, 'phone', cursor, 2), JSON.stringify(cursor))
    }
    t.match(await from({ seq: 2, tag: 'other' }), { status: 'reset', reason: 'unknown', head: { seq: 3, tag: 'e3' } })
    t.match(await from({ seq: 9, tag: 'e9' }), { status: 'reset', reason: 'future' })
    t.equal((await touch(fixture, bob, 'phone')).page, null, 'no page without a cursor')
  })

  t.test('a touch says whether the user has a lease, a room or an invitation, or is watched', async t => {
    const { leases, memberships, invitations, aggregates } = fixture.store
    const now = fixture.clock.now()
    const involve: Readonly<Record<string, (user: string) => Promise<unknown>>> = {
      lease: user => leases.take(user, { holder: 'c/x', peer: 'x', kind: 'ringing', role: 'callee', at: now }, {}),
      room: user => memberships.add({ user, device: 'phone', participantId: 'p' }, 'room', { max: 9, now }),
      invitation: user => invitations.add(user, 'room', { until: now + 30_000, now }),
      watched: user => aggregates.commit({ kind: 'presence', id: user }, commitOf(fixture, 0))
    }
    for (const [name, begin] of Object.entries(involve)) {
      const user = fixture.id(name)
      t.equal((await touch(fixture, user, 'phone')).isInvolved, false)
      await begin(user)
      t.equal((await touch(fixture, user, 'phone')).isInvolved, true, name)
    }
  })

  t.test('requestedAt counts requests, not what the stream itself does', async t => {
    const bob = fixture.id('bob')
    const renew = async () => (await touch(fixture, bob, 'phone', { connection: 'c1' })).requestedAt
    t.equal((await connect(fixture, bob, 'phone', 'c1')).requestedAt, 0)
    t.equal(await renew(), 0)
    const first = fixture.clock.now()
    await mailboxes.recordRequest(bob, 'phone', { now: first })
    fixture.clock.advance(1_000)
    t.equal(await renew(), first)
    t.equal(
      (await touch(fixture, bob, 'phone')).requestedAt,
      first + 1_000,
      'a keepalive without a connection is a request'
    )
    await mailboxes.recordRequest(bob, 'phone', { now: first })
    t.equal(await renew(), first + 1_000, 'an older time changes nothing')
    t.match(await state(bob, 'phone'), { seenAt: first + 1_000, status: '' })
  })

  t.test('recordRequest registers no device and changes none without an open stream', async t => {
    const bob = fixture.id('bob')
    await mailboxes.recordRequest(bob, 'phone', { now: fixture.clock.now() })
    t.strictSame(await mailboxes.devices(bob, fixture.clock.now()), [])
    await connect(fixture, bob, 'phone', 'c1')
    await mailboxes.closeConnection(bob, 'phone', { connection: 'c1', now: fixture.clock.now() })
    const left = await state(bob, 'phone')
    fixture.clock.advance(1_000)
    await mailboxes.recordRequest(bob, 'phone', { now: fixture.clock.now() })
    t.strictSame(await state(bob, 'phone'), left)
    await touch(fixture, bob, 'tablet', { status: 'a|b|3' })
    await mailboxes.recordRequest(bob, 'tablet', { now: fixture.clock.now() })
    t.equal((await state(bob, 'tablet'))?.status, 'a|b|3')
  })

  t.test('device names that mean something to JavaScript or Lua are kept as they are', async t => {
    const bob = fixture.id('bob')
    const names = ['__proto__', 'constructor', '-', '~', 'a.b@c', '0']
    for (const name of names) await touch(fixture, bob, name)
    const devices = await mailboxes.devices(bob, fixture.clock.now())
    t.strictSame(devices.map(({ device }) => device).sort(), names.sort())
  })

  t.test('a claim supersedes the previous connection of the device', async t => {
    const bob = fixture.id('bob')
    t.equal((await connect(fixture, bob, 'phone', 'c1')).connection, 'c1')
    t.equal((await connect(fixture, bob, 'phone', 'c2')).connection, 'c2')
    const onlineUntil = fixture.clock.now() + 999_000
    t.equal(
      (await touch(fixture, bob, 'phone', { connection: 'c1', onlineUntil })).connection,
      'c2',
      'c1 is superseded'
    )
    fixture.clock.advance(45_000)
    t.equal((await state(bob, 'phone'))?.online, false, 'c1 did not keep the device online')
  })

  t.test('the connection of a device keeps it online', async t => {
    const bob = fixture.id('bob')
    await connect(fixture, bob, 'phone', 'c1')
    t.equal((await state(bob, 'phone'))?.online, true)
    fixture.clock.advance(44_999)
    const onlineUntil = fixture.clock.now() + 45_000
    await touch(fixture, bob, 'phone', { connection: 'c1', onlineUntil })
    fixture.clock.advance(44_999)
    t.match(await state(bob, 'phone'), { online: true, onlineUntil })
    await touch(fixture, bob, 'phone', { onlineUntil: fixture.clock.now() + 45_000 })
    fixture.clock.advance(1)
    t.equal((await state(bob, 'phone'))?.online, false, 'a touch without a connection does not renew onlineUntil')
  })

  t.test('a record without a connection takes the one that touches it', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone')
    const touched = await touch(fixture, bob, 'phone', { connection: 'c1', onlineUntil: fixture.clock.now() + 1 })
    t.equal(touched.connection, 'c1')
    t.equal((await state(bob, 'phone'))?.online, true)
    t.equal((await touch(fixture, bob, 'phone', { connection: 'c2' })).connection, 'c1')
  })

  t.test('a device is offline when its connection closes, but not when a superseded one closes', async t => {
    const bob = fixture.id('bob')
    await connect(fixture, bob, 'phone', 'c1')
    await connect(fixture, bob, 'phone', 'c2')
    fixture.clock.advance(1_000)
    await mailboxes.closeConnection(bob, 'phone', { connection: 'c1', now: fixture.clock.now() })
    t.equal((await state(bob, 'phone'))?.online, true)
    await mailboxes.closeConnection(bob, 'phone', { connection: 'c2', now: fixture.clock.now() })
    const seenAt = fixture.clock.now()
    const offline = { device: 'phone', online: false, onlineUntil: 0, status: '', connection: '' }
    t.strictSame(await state(bob, 'phone'), { ...offline, seenAt, left: true })
    t.equal((await touch(fixture, bob, 'phone')).connection, '')
    await mailboxes.closeConnection(bob, 'missing', { connection: 'c2', now: fixture.clock.now() })
    t.equal(await state(bob, 'missing'), undefined)
  })

  t.test('a device has left from the close of its connection to its next keepalive', async t => {
    const bob = fixture.id('bob')
    const left = async () => (await state(bob, 'phone'))?.left
    await connect(fixture, bob, 'phone', 'c1')
    t.equal(await left(), false)
    await mailboxes.closeConnection(bob, 'phone', { connection: 'c1', now: fixture.clock.now() })
    t.equal(await left(), true)
    await touch(fixture, bob, 'phone')
    t.equal(await left(), false, 'after a keepalive')
    await connect(fixture, bob, 'phone', 'c2')
    await mailboxes.closeConnection(bob, 'phone', { connection: 'c2', now: fixture.clock.now() })
    await connect(fixture, bob, 'phone', 'c3')
    t.equal(await left(), false, 'after another connection')
    fixture.clock.advance(45_000)
    t.match(await state(bob, 'phone'), { online: false, left: false }, 'a connection that lapsed was not closed')
  })

  t.test('a connection lasts as long as its token, until the device uses a newer one', async t => {
    const bob = fixture.id('bob')
    const authAfter = async (parts: Parameters<typeof touch>[3]) =>
      (await touch(fixture, bob, 'phone', parts)).authExpiresAt
    t.equal(await authAfter({ authExpiresAt: 9_000 }), null, 'there is no connection yet')
    t.equal(
      await authAfter({ connection: 'c1', claim: true, authExpiresAt: 5_000 }),
      5_000,
      'earlier tokens do not count'
    )
    t.equal(await authAfter({}), 5_000)
    t.equal(await authAfter({ authExpiresAt: 4_000 }), 5_000)
    t.equal(await authAfter({ authExpiresAt: 6_000 }), 6_000)
    t.equal(await authAfter({ connection: 'c1', authExpiresAt: 5_000 }), 6_000, 'a renewal shortens nothing')
    t.equal(
      await authAfter({ connection: 'c2', claim: true, authExpiresAt: 3_000 }),
      3_000,
      'the next connection has its own token'
    )
    t.equal(
      await authAfter({ connection: 'c1', authExpiresAt: 7_000 }),
      3_000,
      'a superseded connection does not extend it'
    )
    t.equal(await authAfter({ authExpiresAt: null }), null, 'a token that never expires')
    t.equal(await authAfter({ authExpiresAt: 8_000 }), null)
  })

  t.test('recordRequest extends a connection to the expiry of a newer token', async t => {
    const bob = fixture.id('bob')
    const authAfter = async (authExpiresAt?: number | null) => {
      // At the same time as the request before it, as that is all that changes.
      await mailboxes.recordRequest(bob, 'phone', {
        now: fixture.clock.now(),
        ...(authExpiresAt === undefined ? {} : { authExpiresAt })
      })
      return (await touch(fixture, bob, 'phone', { connection: 'c1' })).authExpiresAt
    }
    await touch(fixture, bob, 'phone', { connection: 'c1', claim: true, authExpiresAt: 5_000 })
    t.equal(await authAfter(), 5_000)
    t.equal(await authAfter(4_000), 5_000)
    t.equal(await authAfter(6_000), 6_000)
    t.equal(await authAfter(null), null, 'a token that never expires')
    t.equal(await authAfter(8_000), null)
  })

  t.test('a record without a connection takes the token expiry of the one that touches it', async t => {
    const bob = fixture.id('bob')
    await touch(fixture, bob, 'phone', { authExpiresAt: 9_000 })
    t.equal((await touch(fixture, bob, 'phone', { connection: 'c1', authExpiresAt: 5_000 })).authExpiresAt, 5_000)
  })

  t.test('signing a device off revokes its tickets, and no others', async t => {
    const [alice, bob] = [fixture.id('alice'), fixture.id('bob')]
    const { tickets } = fixture.store
    const ttlMs = 60_000
    await touch(fixture, bob, 'phone')
    for (const [user, device, id] of [
      [bob, 'phone', 'one'],
      [bob, 'phone', 'two'],
      [bob, 'laptop', 'three'],
      [alice, 'phone', 'four']
    ] as const)
      await tickets.put(user, { id, device, value: 'v', ttlMs })
    await mailboxes.remove(bob, 'phone')
    t.equal(await tickets.use(bob, 'one', ttlMs), null)
    t.equal(await tickets.use(bob, 'two', ttlMs), null)
    t.equal(await tickets.use(bob, 'three', ttlMs), 'v')
    t.equal(await tickets.use(alice, 'four', ttlMs), 'v')
    await mailboxes.remove(bob, 'laptop')
    t.equal(await tickets.use(bob, 'three', ttlMs), null, 'a device that never opened a stream has tickets too')
  })

  t.test('a status with any characters is kept until another one is set', async t => {
    const bob = fixture.id('bob')
    for (const status of ['{"a":"b|c"}', 'two\nlines | 1|2|3', '=', '']) {
      await touch(fixture, bob, 'phone', { status })
      await touch(fixture, bob, 'phone')
      t.equal((await state(bob, 'phone'))?.status, status)
    }
  })

  t.test('a user never has more devices than allowed, also with concurrent touches', async t => {
    const bob = fixture.id('bob')
    const most = fixture.options.maxDevicesPerUser
    const register = (device: string) =>
      mailboxes.touch(bob, device, { now: fixture.clock.now(), tag: 'birth', connection: device, claim: true })
    const names = async () => (await mailboxes.devices(bob, fixture.clock.now())).map(({ device }) => device).sort()
    const registered = await Promise.all(Array.from({ length: 2 * most }, (_, n) => register(`device${n}`)))
    const first = (await names())[0] ?? ''
    t.equal(registered.filter(Boolean).length, most)
    t.equal((await names()).length, most)
    t.equal(await register('another'), null)
    t.match(await register(first), { created: false }, 'a registered device is touched as before')
    t.match(await touch(fixture, fixture.id('carol'), 'another'), { created: true }, 'another user')
    await mailboxes.remove(bob, first)
    t.match(await register('another'), { created: true }, 'a device that signed off does not count')
    t.equal(await register(first), null)
  })

  t.test('expired devices do not count, and their mailboxes are deleted', async t => {
    const bob = fixture.id('bob')
    const most = fixture.options.maxDevicesPerUser
    for (let n = 0; n < most; n++) await connect(fixture, bob, `old${n}`, 'c1')
    for (const device of ['old0', 'old1']) await fill(fixture, bob, 3, { device })
    fixture.clock.advance(fixture.options.retentionMs)
    await connect(fixture, bob, 'old0', 'c1')
    t.equal(await mailboxes.touch(bob, 'new', { now: fixture.clock.now(), tag: 'birth' }), null, 'none has expired yet')
    fixture.clock.advance(1)
    for (let n = 1; n < most; n++) await connect(fixture, bob, `new${n}`, 'c1')
    t.equal(await mailboxes.touch(bob, 'new', { now: fixture.clock.now(), tag: 'birth' }), null)
    t.strictSame(await texts(fixture, bob, 'old0'), ['e1', 'e2', 'e3'])
    await mailboxes.remove(bob, 'new1')
    t.match(await touch(fixture, bob, 'old1'), { created: true, head: { seq: 0 } })
    t.strictSame(await texts(fixture, bob, 'old1'), [])
  })

  t.test('a device that never listened makes room for a new one, least recently seen first', async t => {
    const bob = fixture.id('bob')
    const most = fixture.options.maxDevicesPerUser
    const names = async () => (await mailboxes.devices(bob, fixture.clock.now())).map(({ device }) => device).sort()
    await connect(fixture, bob, 'tv', 'c1')
    await mailboxes.closeConnection(bob, 'tv', { connection: 'c1', now: fixture.clock.now() })
    await touch(fixture, bob, 'tv')
    await fill(fixture, bob, 2, { device: 'tv' })
    for (let n = 1; n < most; n++) {
      fixture.clock.advance(1000)
      await touch(fixture, bob, `page${n}`)
    }
    await fill(fixture, bob, 3, { device: 'page2' })
    fixture.clock.advance(1000)
    await touch(fixture, bob, 'page1')
    t.match(await touch(fixture, bob, 'another'), { created: true })
    t.notOk((await names()).includes('page2'), 'page1 was seen after it')
    t.equal((await names()).length, most)
    for (let n = 0; n < 3 * most; n++) {
      fixture.clock.advance(1000)
      t.match(await touch(fixture, bob, `load${n}`), { created: true })
    }
    t.ok((await names()).includes('tv'), 'it has listened once')
    t.strictSame(await texts(fixture, bob, 'tv'), ['e1', 'e2'])
    t.match(await touch(fixture, bob, 'page2'), { created: true, head: { seq: 0 } })
    t.strictSame(await texts(fixture, bob, 'page2'), [], 'its mailbox went with it')
  })

  t.test('remove resolves to true once, and the device is registered anew by the next touch', async t => {
    const bob = fixture.id('bob')
    await connect(fixture, bob, 'phone', 'c1')
    await touch(fixture, bob, 'laptop')
    t.equal(await mailboxes.remove(bob, 'phone'), true)
    t.equal(await mailboxes.remove(bob, 'phone'), false)
    t.strictSame(
      (await mailboxes.devices(bob, fixture.clock.now())).map(({ device }) => device),
      ['laptop']
    )
    t.match(await touch(fixture, bob, 'phone'), { created: true, connection: '', authExpiresAt: null })
  })
}
