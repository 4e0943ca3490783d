import type { Test } from 'tap'
import type { DeviceCredentials, Owner } from '../../../src/store/device-credentials.js'
import { partitionOf } from '../../../src/store/partition.js'
import { until } from '../../helpers/until.js'
import type { StoreFixture } from '../contract.js'

/** Two for each partition. */
const MAX = 512

export function deviceCredentialContract(t: Test, fixture: StoreFixture): void {
  const credentials: DeviceCredentials = fixture.store.deviceCredentials
  const now = () => fixture.clock.now()
  const put = (owner: Owner, expected: string | null, next: string | null, expiresAt = now() + 60_000) =>
    credentials.replace(owner, { expected, next, expiresAt }, { now: now(), max: MAX })
  const ownerOf = (device = 'camera'): Owner => ({ user: fixture.id('home'), device })

  t.test('a credential is replaced only if it is the expected one', async t => {
    const owner = ownerOf('ca|m/e:ra')
    t.equal(await credentials.get(owner, now()), null)
    t.equal(await put(owner, 'x', 'a'), 'changed')
    t.equal(await put(owner, null, 'a\nb'), 'written')
    t.equal(await put(owner, null, 'c'), 'changed')
    t.equal(await put(owner, 'a', 'c'), 'changed')
    t.equal(await credentials.get(owner, now()), 'a\nb')
    t.equal(await put(owner, 'a\nb', 'c'), 'written')
    t.equal(await put(owner, 'a\nb', null), 'changed')
    t.equal(await credentials.get({ ...owner, device: 'other' }, now()), null)
    t.equal(await put(owner, 'c', null), 'written')
    t.equal(await credentials.get(owner, now()), null)
    t.equal(await put(owner, 'c', 'd'), 'changed')
  })

  t.test('of changes at the same time one is written', async t => {
    const owner = ownerOf()
    const results = await Promise.all(Array.from({ length: 10 }, (_, n) => put(owner, null, `${n}`)))
    t.strictSame(results.filter(result => result === 'written').length, 1)
  })

  t.test('an expired credential is none, and does not count', async t => {
    const { user } = ownerOf()
    const device = (name: string) => ({ user, device: name })
    await put(device('old'), null, 'a', now() + 10)
    await put(device('new'), null, 'b')
    t.equal(await put(device('third'), null, 'c'), 'full')
    t.equal(await put(device('new'), 'b', 'b2'), 'written', 'one that is there can be changed')
    fixture.clock.skip(10)
    t.equal(await credentials.get(device('old'), now()), null)
    t.equal(await put(device('old'), 'a', 'c'), 'changed')
    t.equal(await put(device('third'), null, 'c'), 'written')
    t.equal(await put(device('old'), null, 'd'), 'full')
    t.equal(await put(device('new'), 'b2', null), 'written')
    t.equal(await put(device('old'), null, 'd'), 'written')
  })

  t.test('all credentials are listed once, page by page', async t => {
    const owners = Array.from({ length: 30 }, (_, n) => ownerOf(`d${n % 3}`))
    const options = { now: now(), max: 100 * MAX }
    for (const owner of owners) {
      const change = { expected: null, next: owner.device, expiresAt: now() + 60_000 }
      t.equal(await credentials.replace(owner, change, options), 'written')
    }
    t.ok(new Set(owners.map(({ user }) => partitionOf(user))).size > 10)
    const nameOf = ({ user, device }: Owner) => `${user} ${device}`
    const listed: string[] = []
    let after: Owner | null = null
    for (;;) {
      const page: readonly (Owner & { text: string })[] = await credentials.list({ after, limit: 7 }, now())
      const last = page.at(-1)
      if (last === undefined) break
      t.ok(page.length <= 7)
      listed.push(...page.map(nameOf))
      after = { user: last.user, device: last.device }
    }
    t.equal(new Set(listed).size, listed.length, 'none twice')
    const missing = owners.map(nameOf).filter(name => !listed.includes(name))
    t.strictSame(missing, [])
    const [first] = await credentials.list({ after: null, limit: 1 }, now())
    t.equal(first && nameOf(first), listed[0])
    const [one] = owners
    const { user = '' } = one ?? {}
    const ofUser = await credentials.list({ after: null, limit: 7, user }, now())
    t.strictSame(ofUser.map(nameOf), one ? [nameOf(one)] : [], 'those of one user')
    t.strictSame(await credentials.list({ after: one ?? null, limit: 7, user }, now()), [])
  })

  t.test('a code is found until it expires', async t => {
    const [owner, digest] = [ownerOf('a/b'), fixture.id('digest')]
    t.equal(await credentials.findCode(digest), null)
    await credentials.putCode(digest, owner, 60_000)
    t.strictSame(await credentials.findCode(digest), owner)
    await credentials.putCode(digest, owner, 20)
    await until('the code has expired', async () => {
      fixture.clock.advance(5)
      return (await credentials.findCode(digest)) === null
    })
  })

  t.test('a nonce is used once, also by many at the same time, until it is forgotten', async t => {
    const [one, other] = [fixture.id('nonce'), fixture.id('nonce')]
    const used = await Promise.all(Array.from({ length: 10 }, () => credentials.useNonce(one, 60_000)))
    t.equal(used.filter(Boolean).length, 1)
    t.equal(await credentials.useNonce(one, 60_000), false)
    t.equal(await credentials.useNonce(other, 20), true)
    await until('the nonce is forgotten', async () => {
      fixture.clock.advance(5)
      return credentials.useNonce(other, 60_000)
    })
  })
}
