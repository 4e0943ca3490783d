import { createHmac } from 'node:crypto'
import t from 'tap'
import { systemClock } from '../../src/clock.js'
import { loadConfig } from '../../src/config.js'
import { listIceServers } from '../../src/services/ice-servers.js'
import { ODD_IDS } from '../helpers/ids.js'

const clock = { ...systemClock, now: () => 1_700_000_000_500 }
const NEW = 'a-new-secret-of-more-than-thirty-two-bytes'
const alice = { user: 'alice', device: 'phone', expiresAt: null }

t.test('the list is empty when no servers are set', async t => {
  t.strictSame(listIceServers({ config: loadConfig({}), clock }, alice), {
    iceServers: [],
    iceTransportPolicy: 'all',
    expiresInMs: null
  })
})

t.test('TURN credentials expire in an hour and are signed with the first secret', async t => {
  const config = loadConfig({
    STUN_URLS: 'stun:a.example',
    TURN_URLS: 'turn:a.example,turns:b.example',
    TURN_SECRETS: `${NEW},an-old-secret-of-more-than-thirty-two-bytes`
  })
  const username = '1700003600:alice'
  t.strictSame(listIceServers({ config, clock }, alice), {
    iceServers: [
      { urls: ['stun:a.example'] },
      {
        urls: ['turn:a.example', 'turns:b.example'],
        username,
        credential: createHmac('sha1', NEW).update(username).digest('base64')
      }
    ],
    iceTransportPolicy: 'all',
    expiresInMs: 3_600_000
  })
})

t.test('the servers of the region come first, then those of every region', async t => {
  const env = { TURN_SECRETS: NEW, ICE_TRANSPORT_POLICY: 'relay' }
  const everywhere = { ...env, STUN_URLS: 'stun:all', TURN_URLS: 'turn:all,turns:eu#eu,turn:us?transport=tcp#us-1' }
  const byRegion = { ...env, STUN_URLS: 'stun:eu#eu,stun:us#us-1', TURN_URLS: 'turn:eu#eu,turn:us#us-1' }
  const cases = [
    [everywhere, null, 'stun:all turn:all'],
    [everywhere, 'eu', 'stun:all turns:eu turn:all'],
    [everywhere, 'us-1', 'stun:all turn:us?transport=tcp turn:all'],
    [everywhere, 'mars', 'stun:all turn:all'],
    [byRegion, 'eu', 'stun:eu turn:eu'],
    [byRegion, null, 'stun:eu stun:us turn:eu turn:us'],
    [byRegion, 'mars', 'stun:eu stun:us turn:eu turn:us']
  ] as const
  for (const [settings, region, expected] of cases) {
    const reply = listIceServers({ config: loadConfig(settings), clock }, alice, region)
    t.equal(reply.iceServers.flatMap(({ urls }) => urls).join(' '), expected, `${region} of ${settings.TURN_URLS}`)
    t.equal(reply.iceTransportPolicy, 'relay')
  }
})

t.test('the TURN user name is ASCII, shorter than 509 bytes, and different for each user', async t => {
  const config = loadConfig({ TURN_URLS: 'turn:a.example', TURN_SECRETS: NEW })
  const names = ODD_IDS.map(user => {
    const [server] = listIceServers({ config, clock }, { ...alice, user }).iceServers
    const { username = '', credential } = server ?? {}
    t.match(username, /^1700003600:[!-9;-~]{1,496}$/, encodeURIComponent(user))
    t.equal(credential, createHmac('sha1', NEW).update(username).digest('base64'))
    return username
  })
  t.equal(new Set(names).size, ODD_IDS.length)
})
