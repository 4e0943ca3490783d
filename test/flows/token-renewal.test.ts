// A stream ends with its token, unless the device uses a newer one (test/delivery/cases/ending.ts).
import { SignJWT } from 'jose'
import { flow, type Scenario } from '../helpers/scenario.js'
import { openSse } from '../helpers/sse.js'
import { until } from '../helpers/until.js'

/** Keepalives, and requests that are none. */
const REQUESTS = ['GET snapshot', 'PUT presence', 'GET calls', 'GET presence?user=x', 'POST events/tickets'] as const

flow('any request with a newer token extends the stream', async (t, scenario) => {
  const { mailboxes } = scenario.store
  const user = scenario.toWire('alice')
  for (const [i, request] of REQUESTS.entries()) {
    const device = `phone${i}`
    const [method = '', path] = request.split(' ')
    const stream = await openSse(`${scenario.urlOf(0)}/v1/events`, await credentials(scenario, device, 60_000))
    await stream.next('hello')
    const expiry = async () => {
      const touched = await mailboxes.touch(user, device, { now: scenario.now(), tag: 'tag' })
      return touched?.authExpiresAt
    }
    const before = Number(await expiry())
    const url = `${scenario.urlOf(scenario.lastNode)}/v1/${path}`
    const reply = await fetch(url, { method, ...(await credentials(scenario, device, 120_000)) })
    t.ok(reply.ok, request)
    await until(request, async () => (await expiry()) === before + 60_000)
    await stream.close()
  }
})

/** With a token that expires `ms` from now. */
async function credentials(scenario: Scenario, device: string, ms: number) {
  const [secret = ''] = scenario.config.jwtSecret
  const token = await new SignJWT({ sub: scenario.toWire('alice'), exp: Math.floor((scenario.now() + ms) / 1000) })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
  return { headers: { authorization: `Bearer ${token}`, 'x-device-id': device } }
}
