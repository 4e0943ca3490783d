// Tokens of an issuer whose clock is ahead, before and after a sign-out. How much it is ahead concerns all users, so each cluster has a Redis of its own.
import t, { type Test } from 'tap'
import { startRedis } from '../helpers/redis.js'
import { Scenario } from '../helpers/scenario.js'
import { operate, Session, WITH_ADMIN } from '../helpers/sessions.js'
import { SETTINGS, TestCluster } from '../helpers/test-cluster.js'

const AHEAD_S = 20
const REVOKED = '401 token_revoked'
const ALL = ['POST', '/all-devices/sign-out'] as const

function test(name: string, run: (t: Test, scenario: Scenario) => Promise<void>): void {
  for (const setting of SETTINGS)
    t.test(`${name}: ${setting.name}`, async t => {
      const redis = setting.engine === 'redis' ? await startRedis() : undefined
      const cluster = await TestCluster.open(setting, WITH_ADMIN, redis)
      t.teardown(async () => {
        await cluster.close()
        await redis?.stop()
      })
      await run(t, new Scenario(cluster))
    })
}

const seconds = (scenario: Scenario) => Math.floor(scenario.now() / 1000)

test('a token from before a sign-out stays refused, and the next token is accepted', async (t, scenario) => {
  const last = scenario.lastNode
  const issue = (user: string, aheadS = AHEAD_S) => Session.open(scenario, [user, 'phone'], seconds(scenario) + aheadS)
  const [phone, unused] = [await issue('alice'), await issue('carol')]
  t.equal(await phone.outcome(last), '200', 'from now on every node knows how much the issuer is ahead')
  const stream = await phone.stream(last)
  for (const user of ['alice', 'carol']) t.equal((await operate(scenario, ALL, { user })).status, 200)
  t.match(await stream.next(), { type: 'end', data: { reason: 'signed_out' } })
  t.strictSame([await phone.outcome(0), await phone.outcome(last)], [REVOKED, REVOKED])
  t.strictSame([await unused.outcome(0), await unused.outcome(last)], [REVOKED, REVOKED], 'never used before')

  scenario.cluster.clock.skip(1_000)
  t.equal(await (await issue('alice')).outcome(0), '200')
  t.equal(await (await issue('alice', 0)).outcome(0), REVOKED, 'of an issuer that is not ahead: it may be an old one')

  scenario.cluster.clock.skip(60_000)
  for (const node of [0, last])
    for (const old of [phone, unused]) t.equal(await old.outcome(node), REVOKED, 'not from the future any more')
  t.equal(await (await issue('alice', 0)).outcome(last), '200')
})

test('a rule about tokens compares iat as it is', async (t, scenario) => {
  const phone = await Session.open(scenario, ['alice', 'phone'], seconds(scenario) + AHEAD_S)
  t.equal(await phone.outcome(0), '200')
  const issuedAfter = new Date(scenario.now()).toISOString()
  t.equal((await operate(scenario, ['PUT', '/all-devices/tokens', { issuedAfter }])).status, 200)
  t.equal(await phone.outcome(0), '200')
})

test('a token that is further ahead than the leeway is refused until it is not', async (t, scenario) => {
  const phone = await Session.open(scenario, ['alice', 'phone'], seconds(scenario) + 60)
  for (const node of [0, scenario.lastNode]) t.equal(await phone.outcome(node), '401 unauthorized')
  t.equal((await operate(scenario, ALL)).status, 200)
  scenario.cluster.clock.skip(31_000)
  t.equal(await phone.outcome(0), '200', 'no one can have used it before the sign-out')
})
