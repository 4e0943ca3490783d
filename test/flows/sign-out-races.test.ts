// Sign-outs while devices open streams, poll and redeem tickets, and rules about tokens.
import { flow } from '../helpers/scenario.js'
import { operate, Session, WITH_ADMIN } from '../helpers/sessions.js'
import { openSse } from '../helpers/sse.js'

const env = WITH_ADMIN
const ROUNDS = 12

flow(
  'whatever opens while the user is signed out ends, and nothing of it stays',
  async (t, scenario) => {
    const outcomes = new Map<string, number>()
    for (let round = 0; round < ROUNDS; round++) {
      const user = `alice${round}`
      const devices = ['a', 'b', 'c', 'd', 'e', 'f']
      const sessions = await Promise.all(devices.map(device => Session.open(scenario, [user, device])))
      const tickets = await Promise.all(sessions.slice(0, 2).map(session => session.ticket(0)))
      const urlAt = (i: number) => `${scenario.urlOf(i % 2 ? 0 : scenario.lastNode)}/v1/events`
      const opening = [
        ...sessions.map(async ({ headers }, i) => openSse(urlAt(i), { headers })),
        ...tickets.map(async (ticket, i) => openSse(`${urlAt(i)}?ticket=${ticket}`))
      ].map(async opened => {
        const stream = await opened
        return stream.status === 200 ? String((await stream.next('end')).data.reason) : `${stream.status}`
      })
      const signedOut = operate(scenario, ['POST', '/all-devices/sign-out'], {
        node: round % 2 ? 0 : scenario.lastNode,
        user
      })
      for (const outcome of await Promise.all(opening)) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      t.equal((await signedOut).status, 200)
      for (const session of sessions)
        for (const node of [0, scenario.lastNode]) t.equal(await session.outcome(node), '401 token_revoked')
    }
    t.comment(JSON.stringify([...outcomes]))
    for (const outcome of outcomes.keys()) t.match(outcome, /^(401|signed_out|signed_off|superseded)$/)
    await scenario.waitForStreams(0)
  },
  { env }
)

flow(
  'tokens that were issued at or before a time are refused, and accepted again when the rule is lifted',
  async (t, scenario) => {
    const now = Math.floor(scenario.now() / 1000)
    const session = (issuedAt: number | null, device = 'phone') => Session.open(scenario, ['alice', device], issuedAt)
    const [old, limit, fresh, undated] = [
      await session(now - 60, 'old'),
      await session(now - 30, 'limit'),
      await session(now - 29, 'fresh'),
      await session(null, 'undated')
    ]
    const streams = [await old.stream(0), await fresh.stream(scenario.lastNode)] as const
    const issuedAfter = new Date((now - 30) * 1000).toISOString()
    const refuse = (path: string, at = issuedAfter) => operate(scenario, ['PUT', `${path}/tokens`, { issuedAfter: at }])
    t.match(await refuse('/all-devices'), {
      status: 200,
      body: { revocation: { device: null, kind: 'tokens', issuedAfter } }
    })
    t.match(await streams[0].next(), { type: 'end', data: { reason: 'auth_expired', reconnect: false } })
    const all = async () => Promise.all([old, limit, fresh, undated].map(each => each.outcome(scenario.lastNode)))
    const revoked = '401 token_revoked'
    t.strictSame(await all(), [revoked, revoked, '200', revoked])
    t.strictSame(
      streams[1].waiting().filter(({ type }) => type === 'end'),
      []
    )
    const earlier = new Date((now - 3_600) * 1000).toISOString()
    t.match(
      await refuse('/all-devices', earlier),
      { body: { revocation: { issuedAfter } } },
      'an earlier time changes nothing'
    )
    t.equal((await operate(scenario, ['DELETE', '/all-devices/tokens'])).status, 204)
    t.equal((await operate(scenario, ['DELETE', '/all-devices/tokens'])).status, 204, 'again')
    t.strictSame(await all(), ['200', '200', '200', '200'])
    t.equal((await refuse('/devices/fresh')).status, 200)
    t.strictSame(await all(), ['200', '200', '200', '200'], 'of another device, and older than its token')
    t.equal((await refuse('/devices/limit')).status, 200)
    t.strictSame(await all(), ['200', revoked, '200', '200'])
    await streams[1].close()
  },
  { env }
)

flow(
  'a revocation that names no time, or an impossible one, or too many, is refused',
  async (t, scenario) => {
    const ahead = new Date(scenario.now() + 366 * 24 * 3_600_000).toISOString()
    for (const issuedAfter of [
      '',
      'yesterday',
      '1969-12-31T23:59:59Z',
      ahead,
      1_700_000_000,
      null,
      ['2026-01-01T00:00:00Z']
    ])
      t.match(await operate(scenario, ['PUT', '/all-devices/tokens', { issuedAfter }]), {
        status: 400,
        body: { code: 'invalid_request' }
      })
    for (const body of [{}, { issuedAfter: '2026-01-01T00:00:00Z', device: 'x' }])
      t.match(await operate(scenario, ['PUT', '/all-devices/tokens', body]), { status: 400 })
    const rule = { issuedAfter: new Date(scenario.now()).toISOString() }
    for (const device of ['..', '.', '%2e%2e'])
      for (const request of [
        ['POST', `/devices/${device}/sign-out`] as const,
        ['PUT', `/devices/${device}/tokens`, rule] as const,
        ['DELETE', `/devices/${device}/tokens`] as const
      ])
        t.equal((await operate(scenario, request)).status, 404, `${request[0]} ${request[1]}`)
    for (const path of ['/devices/%00/sign-out', `/devices/${'x'.repeat(256)}/sign-out`])
      t.match((await operate(scenario, ['POST', path])).status, /^40[04]$/, path)
    const session = await Session.open(scenario, ['alice', 'phone'])
    t.equal(await session.outcome(0), '200', 'none of them did anything')
    const before = scenario.store.revocations.size()
    for (let n = before; n < 3; n++) await operate(scenario, ['POST', `/devices/d${n}/sign-out`])
    const full = await operate(scenario, ['POST', '/all-devices/sign-out'])
    t.match(full, { status: 409, body: { code: 'too_many_revocations' } })
    t.equal(await session.outcome(0), '200', 'what is refused changes nothing')
  },
  { env: { ...env, REVOCATIONS_MAX: '3' }, ownCluster: true }
)
