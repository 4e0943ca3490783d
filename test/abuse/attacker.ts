// The attacker of flood.test.ts: one user who exceeds every budget, with an accomplice, and an address without a token. It is a process of
// its own, so that its load is not measured as latency of the server. When its standard input ends, it prints the statuses of the replies
// and exits.
import { createToken } from '../../src/development.js'
import { TestDeviceKey } from '../helpers/device-key.js'
import { Fleet } from '../helpers/fleet.js'
import { candidates, sdp } from '../helpers/sdp.js'
import { type Reply, TestClient } from '../helpers/test-client.js'

const IN_FLIGHT_MAX = 16
const url = process.argv[2] ?? ''
const config = Fleet.config
const fixture = { config, urlOf: () => url, toWire: (name: string) => name, fromWire: <T>(value: T) => value }
const large = 'x'.repeat(4000)

interface Attack {
  readonly name: string
  readonly perSecond: number
  send(n: number): Promise<unknown>
}

const key = new TestDeviceKey()

async function asDevice(path: string, body?: object): Promise<unknown> {
  const json = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const reply = await fetch(`${url}/v1/device/${path}`, { method: 'POST', ...json })
  await reply.text()
  return { status: reply.status }
}

const client = (user: string, device = 'phone') => TestClient.create(fixture, { user, device, node: 0 })

async function makeAttacks(): Promise<Attack[]> {
  const [mallory, accomplice] = await Promise.all([client('mallory'), client('accomplice')])
  await accomplice.poll()
  await mallory.poll()
  const { body } = await mallory.request('POST', 'calls', {
    callId: 'partners',
    to: 'accomplice',
    offer: { sdp: sdp('m') }
  })
  if (body.call) await accomplice.request('POST', 'calls/partners/accept')
  const { body: joined } = await mallory.request('POST', 'rooms/den/participants', {})
  await accomplice.request('POST', 'rooms/den/participants', {})
  const post = (path: string, json: object): Promise<Reply> => mallory.request('POST', path, json)
  const token = await createToken(config, { user: 'mallory', device: 'poller' })
  const bigOffer = { sdp: `${sdp('big')}${'a=x-padding:0123456789012345678901234567890123456789\r\n'.repeat(1000)}` }
  return [
    {
      name: 'calls to unknown users',
      perSecond: 4,
      send: n => post('calls', { to: `unknown${n}`, metadata: { large } })
    },
    { name: 'calls to one client', perSecond: 2, send: () => post('calls', { to: 'target' }) },
    { name: 'cancels of unknown calls', perSecond: 100, send: n => post(`calls/unknown${n}/cancel`, {}) },
    { name: 'repeated hang-ups', perSecond: 50, send: () => post('calls/over/hangup', {}) },
    { name: 'offers of 50 KB', perSecond: 50, send: () => post('calls/partners/offer', bigOffer) },
    { name: 'rooms', perSecond: 50, send: n => mallory.request('PUT', `rooms/r${n}`, { metadata: { large } }) },
    { name: 'joins', perSecond: 50, send: n => post(`rooms/j${n}/participants`, {}) },
    {
      name: 'invitations to unknown users',
      perSecond: 10,
      send: n =>
        post('rooms/den/invitations', {
          users: Array.from({ length: 50 }, (_, i) => `i${n}-${i}`),
          metadata: { large }
        })
    },
    { name: 'chat of 4 KB', perSecond: 100, send: () => post('rooms/den/messages', { content: large }) },
    {
      name: 'broadcast candidates',
      perSecond: 50,
      send: n => post('rooms/den/candidates', { candidates: candidates(64, `u${n}`) })
    },
    {
      name: 'metadata of a participant',
      perSecond: 50,
      send: () => mallory.request('PATCH', `rooms/den/participants/${joined.participantId}`, { metadata: { large } })
    },
    {
      name: 'watching unknown users',
      perSecond: 5,
      send: n =>
        mallory.request('PUT', 'presence/watch', { users: Array.from({ length: 200 }, (_, i) => `w${n}-${i}`) })
    },
    {
      name: 'devices',
      perSecond: 20,
      send: async n => (await client('mallory', `device${n}`)).request('PUT', 'presence', {})
    },
    {
      name: 'push subscriptions',
      perSecond: 50,
      send: async n => {
        const device = `device${n}`
        const token = `${n}`.padStart(64, '0')
        return (await client('mallory', device)).request('PUT', `devices/${device}/push`, { type: 'apns', token })
      }
    },
    { name: 'tickets', perSecond: 50, send: () => post('events/tickets', {}) },
    { name: 'snapshots', perSecond: 50, send: () => mallory.request('GET', 'snapshot') },
    {
      name: 'polls of the whole mailbox',
      perSecond: 10,
      send: async () => {
        const reply = await fetch(`${url}/v1/events/poll?cursor=start&limit=500&wait=0`, {
          headers: { authorization: `Bearer ${token}` }
        })
        await reply.text()
      }
    },
    {
      name: 'OpenAPI documents without a token',
      perSecond: 50,
      send: async () => (await fetch(`${url}/openapi.json`)).arrayBuffer()
    },
    {
      name: 'made-up tokens',
      perSecond: 100,
      send: async n => (await fetch(`${url}/v1/calls`, { headers: { authorization: `Bearer guess.${n}.x` } })).text()
    },
    { name: 'nonces that nobody signs', perSecond: 50, send: () => asDevice('nonce') },
    {
      name: 'guessed enrollment codes',
      perSecond: 50,
      send: n => asDevice('enroll', key.enrollment(`${n}`.padStart(28, '0')))
    },
    {
      name: 'tokens of unknown devices',
      perSecond: 50,
      send: n => asDevice('token', { user: `home${n}`, device: 'camera', key: 'A'.repeat(43) })
    }
  ]
}

/** Sends at the given rate until it is over. Resolves to the number of replies by status. */
async function flood({ perSecond, send }: Attack, isOver: () => boolean): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  let inFlight = 0
  for (let n = 0; !isOver(); n++) {
    if (inFlight < IN_FLIGHT_MAX) {
      inFlight++
      void send(n)
        .then(
          reply => String((reply as Reply | undefined)?.status ?? 'replied'),
          () => 'failed'
        )
        .then(outcome => {
          counts[outcome] = (counts[outcome] ?? 0) + 1
          inFlight--
        })
    }
    await new Promise(resolve => setTimeout(resolve, 1000 / perSecond))
  }
  return counts
}

let over = false
process.stdin.on('end', () => {
  over = true
})
process.stdin.resume()
const attacks = await makeAttacks()
const counts = await Promise.all(attacks.map(attack => flood(attack, () => over)))
console.log(JSON.stringify(Object.fromEntries(attacks.map(({ name }, i) => [name, counts[i]]))))
process.exit(0)
