import type { Test } from 'tap'
import { ISSUER_LEAD_TTL_MS, type Revocation } from '../../../src/store/revocations.js'
import { until } from '../../helpers/until.js'
import type { StoreFixture } from '../contract.js'

const KEEP_MS = 60_000

export function revocationContract(t: Test, fixture: StoreFixture): void {
  const { revocations } = fixture.store
  const now = () => fixture.clock.now()

  const fixtureOf = (user = fixture.id('bob')) => {
    const put = (parts: Partial<Revocation> = {}, max = 1_000) =>
      revocations.put(
        { user, device: null, issuedAfter: 1_000, kind: 'tokens', at: now(), expiresAt: now() + KEEP_MS, ...parts },
        { max }
      )
    const refuses = (issuedAt?: number | null, device = 'phone') =>
      revocations.revocationOf({ user, device, ...(issuedAt === undefined ? {} : { issuedAt }) }) !== null
    const remove = (device: string | null = null) => revocations.remove(user, device, now())
    return { user, put, refuses, remove, list: () => revocations.list(user) }
  }

  t.test('a revocation refuses the tokens of its user that were issued at or before its instant', async t => {
    const { user, put, refuses, list } = fixtureOf()
    for (const issuedAt of [undefined, null, 0, 1_000]) t.equal(refuses(issuedAt), false, `${issuedAt} before it`)
    const written = await put()
    t.match(written, { user, device: null, issuedAfter: 1_000, kind: 'tokens' })
    for (const issuedAt of [undefined, null, 0, 999.5, 1_000]) t.equal(refuses(issuedAt), true, `${issuedAt}`)
    for (const issuedAt of [1_000.5, 1_001, 9e12]) t.equal(refuses(issuedAt), false, `${issuedAt}`)
    t.equal(refuses(0, 'another device'), true)
    t.equal(fixtureOf().refuses(0), false, 'of another user')
    t.strictSame(list(), [written])
  })

  t.test('a revocation of one device leaves the others', async t => {
    const { put, refuses, list } = fixtureOf()
    const device = fixture.id('phone')
    await put({ device })
    t.equal(refuses(1_000, device), true)
    t.equal(refuses(1_001, device), false)
    t.equal(refuses(0, 'tablet'), false)
    t.equal(refuses(null, 'tablet'), false)
    await put({ issuedAfter: 500 })
    t.equal(refuses(1_000, device), true, 'the later one of the two counts')
    t.equal(refuses(500, 'tablet'), true)
    t.equal(refuses(501, 'tablet'), false)
    t.strictSame(
      list().map(each => each.device),
      [null, device]
    )
  })

  t.test('a user and a device whose ids contain separators are not confused', async t => {
    const user = fixture.id('bob')
    await fixtureOf(`${user}/phone`).put()
    await fixtureOf(user).put({ device: 'a/b', issuedAfter: 7 })
    t.equal(fixtureOf(user).refuses(0), false)
    t.equal(fixtureOf(user).refuses(0, 'a'), false)
    t.equal(fixtureOf(user).refuses(0, 'a/b'), true)
    t.equal(fixtureOf(`${user}/a`).refuses(0, 'b'), false)
  })

  t.test('of two revocations that refuse a token, the sign-out is named', async t => {
    const { user, put } = fixtureOf()
    const kindFor = (issuedAt: number, device: string | null = 'phone') =>
      revocations.revocationOf({ user, device, issuedAt })?.kind
    await put({ issuedAfter: 2_000 })
    await put({ device: 'phone', kind: 'sign_out' })
    t.strictSame([kindFor(1_000), kindFor(1_001), kindFor(2_001)], ['sign_out', 'tokens', undefined])
    t.equal(kindFor(1_000, 'tablet'), 'tokens')
    t.equal(kindFor(1_000, null), 'tokens', 'a token of no device')
    await put({ kind: 'sign_out', issuedAfter: 3_000 })
    t.equal(kindFor(2_500), 'sign_out')
  })

  t.test('a later put never refuses fewer tokens, and lets the revocation expire later', async t => {
    const { put, refuses, list } = fixtureOf()
    await put({ issuedAfter: 2_000, kind: 'sign_out' })
    const kept = await put({ issuedAfter: 1_000, expiresAt: now() + 2 * KEEP_MS })
    t.match(kept, { issuedAfter: 2_000, kind: 'sign_out', expiresAt: now() + 2 * KEEP_MS })
    t.equal(refuses(2_000), true)
    await put({ issuedAfter: 3_000 })
    t.match(list(), [{ issuedAfter: 3_000, kind: 'tokens', expiresAt: now() + 2 * KEEP_MS }])
    t.equal(refuses(3_000), true)
  })

  t.test('a removed revocation refuses nothing, and a new one may refuse fewer tokens', async t => {
    const { put, refuses, remove, list } = fixtureOf()
    t.equal(await remove(), false)
    await put({ issuedAfter: 5_000 })
    await put({ device: 'phone', issuedAfter: 4_000 })
    t.equal(await remove(), true)
    t.equal(await remove(), false)
    t.equal(refuses(4_001), false)
    t.equal(refuses(4_000), true, 'that of the device stays')
    t.equal(await remove('phone'), true)
    for (const issuedAt of [null, 0, 4_000]) t.equal(refuses(issuedAt), false)
    t.strictSame(list(), [])
    await put({ issuedAfter: 100 })
    t.equal(refuses(100), true)
    t.equal(refuses(101), false)
  })

  t.test('listeners are called when more tokens are refused than before, and only then', async t => {
    const heard: string[] = []
    const stop = revocations.onRevoked(user => heard.push(user))
    const { user, put, remove } = fixtureOf()
    const count = () => heard.filter(each => each === user).length
    await put({ issuedAfter: 1_000 })
    await until('the listener is called', () => count() === 1)
    await put({ issuedAfter: 900 })
    await remove()
    await put({ device: 'phone', issuedAfter: 10 })
    await until('the listener is called', () => count() === 2)
    stop()
    await put({ issuedAfter: 9_000 })
    t.equal(count(), 2)
  })

  t.test('one revocation too many is refused, and a change of a known one is not', async t => {
    const { put } = fixtureOf()
    await put()
    const max = revocations.size()
    t.equal(await put({ device: 'tablet' }, max), null)
    t.equal(fixtureOf().refuses(0), false)
    t.match(await put({ issuedAfter: 2_000 }, max), { issuedAfter: 2_000 })
    t.match(await put({ device: 'tablet' }, max + 1), { device: 'tablet' })
  })

  t.test('a revocation expires, and then makes room for another one', async t => {
    const { put, refuses } = fixtureOf()
    const others = revocations.size()
    await put({ expiresAt: now() + 1_000 })
    fixture.clock.advance(2 * KEEP_MS + 30_000)
    await until('the revocations have expired', () => revocations.size() === 0)
    t.ok(others > 1)
    t.equal(refuses(0), false)
    t.match(await put({}, 1), { issuedAfter: 1_000 })
  })

  t.test('the largest lead of an issuer counts, until it is forgotten', async t => {
    const before = await revocations.issuerLeadMs()
    await revocations.noteIssuerLead(before + 20_000)
    await revocations.noteIssuerLead(before + 3_000)
    await revocations.noteIssuerLead(before + 7_000)
    t.equal(await revocations.issuerLeadMs(), before + 20_000)
    fixture.clock.skip(ISSUER_LEAD_TTL_MS / 2)
    await revocations.noteIssuerLead(before + 3_000)
    t.equal(await revocations.issuerLeadMs(), before + 20_000)
    fixture.clock.skip(ISSUER_LEAD_TTL_MS / 2)
    t.equal(await revocations.issuerLeadMs(), before + 3_000, 'each for its own time')
    fixture.clock.skip(ISSUER_LEAD_TTL_MS / 2)
    t.equal(await revocations.issuerLeadMs(), 0)
  })
}
