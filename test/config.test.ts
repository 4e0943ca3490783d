import t from 'tap'
import { ConfigError, loadConfig } from '../src/config.js'
import { SETTINGS } from '../src/settings.js'

const SECRET = 'a-secret-of-more-than-thirty-two-bytes'

/** What loadConfig complains about. */
function mistakes(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes
    throw error
  }
}

t.test('an empty environment gives development mode on loopback, with all defaults', async t => {
  const config = loadConfig({})
  t.match(config, {
    development: true,
    host: '127.0.0.1',
    port: 8080,
    logLevel: 'info',
    redisUrl: null,
    ringTimeoutMs: 30_000,
    maxCallsPerUser: 1,
    offlineCalls: 'reject',
    onGlare: 'merge',
    turnUrls: [],
    rateLimitSignals: 100
  })
  t.ok(Object.isFrozen(config))
  t.strictSame(
    loadConfig(Object.fromEntries(Object.keys(SETTINGS).map(name => [name, ' ']))),
    config,
    'empty means default'
  )
})

t.test('values of the environment are parsed into their types', async t => {
  const config = loadConfig({
    HOST: '0.0.0.0',
    PORT: '0',
    JWT_SECRET: SECRET,
    STUN_URLS: 'stun:one.example:3478, stun:two.example#eu-1',
    TURN_URLS: 'turn:one.example:3478?transport=udp',
    TURN_SECRETS: `new-${SECRET},old-${SECRET}`,
    ON_GLARE: 'reject'
  })
  t.match(config, {
    development: false,
    host: '0.0.0.0',
    port: 0,
    jwtSecret: [SECRET],
    stunUrls: [
      { url: 'stun:one.example:3478', region: null },
      { url: 'stun:two.example', region: 'eu-1' }
    ],
    turnSecrets: [`new-${SECRET}`, `old-${SECRET}`],
    onGlare: 'reject'
  })
})

t.test('all mistakes are reported together', async t => {
  const found = mistakes({
    PORT: '70000',
    LOG_LEVEL: 'loud',
    RING_TIMEOUT_MS: '1e3',
    CORS_ORIGINS: 'https://a.example/x'
  })
  t.strictSame(
    found.map(mistake => mistake.split(' ')[0]),
    ['PORT', 'LOG_LEVEL', 'CORS_ORIGINS', 'RING_TIMEOUT_MS']
  )
})

t.test('without a secret or a key set only a loopback address is accepted', async t => {
  t.match(mistakes({ HOST: '0.0.0.0' }), [/^HOST must be a loopback address/])
  t.match(mistakes({ HOST: '::' }), [/^HOST must be a loopback address/])
  for (const HOST of ['127.0.0.1', '::1', 'localhost']) t.strictSame(mistakes({ HOST }), [])
  t.strictSame(mistakes({ HOST: '0.0.0.0', JWKS_URL: 'https://id.example/keys' }), [])
})

t.test('settings that contradict each other are refused', async t => {
  t.match(mistakes({ ADMIN_PORT: '9090', ADMIN_HOST: '0.0.0.0' }), [/^ADMIN_HOST must be a loopback address/])
  t.strictSame(mistakes({ ADMIN_PORT: '9090', ADMIN_HOST: '0.0.0.0', ADMIN_SECRET: SECRET }), [])
  t.strictSame(mistakes({ ADMIN_PORT: '0', PORT: '0' }), [])
  t.match(mistakes({ ADMIN_PORT: '8080' }), [/^ADMIN_PORT must differ from PORT/])
  t.match(mistakes({ JWT_SECRET: SECRET, JWKS_URL: 'https://id.example/keys' }), [/must not both be set/])
  for (const rest of ['a?transport=sctp', 'a:99999', 'a:x', 'user:secret@a', '//a', 'a?', ''])
    t.match(mistakes({ TURN_URLS: `turn:${rest}` }), [/^TURN_URLS must be URLs such as/], rest)
  t.match(mistakes({ STUN_URLS: 'stun:a?transport=udp' }), [/^STUN_URLS must be URLs such as/], 'STUN has no transport')
  t.strictSame(mistakes({ STUN_URLS: 'stun:[2001:db8::1]:3478#eu,stuns:a' }), [])
  t.match(mistakes({ TURN_URLS: 'turn:one.example' }), [/^TURN_URLS requires TURN_SECRETS/])
  t.match(mistakes({ ICE_TRANSPORT_POLICY: 'relay' }), [/^ICE_TRANSPORT_POLICY=relay requires TURN_URLS/])
  for (const region of ['', 'e u', 'a'.repeat(33), 'eu#us'])
    t.match(mistakes({ STUN_URLS: `stun:one.example#${region}` }), [/^STUN_URLS must be URLs such as/], region)
  t.match(mistakes({ MEDIA_SERVICE_URLS: 'http://a.example' }), [/^MEDIA_SERVICE_URLS requires MEDIA_SERVICE_SECRET/])
  for (const second of ['http://a.example:443/other', 'https://a.example:443']) {
    const MEDIA_SERVICE_URLS = `https://a.example, ${second}`
    t.match(mistakes({ MEDIA_SERVICE_URLS, MEDIA_SERVICE_SECRET: SECRET }), [/must not name a host and port twice/])
  }
  t.match(mistakes({ GRACE_MS: '4000' }), [/^GRACE_MS/])
  t.match(mistakes({ PRESENCE_VISIBILITY: 'policy' }), [/^PRESENCE_VISIBILITY=policy requires POLICY_URL/])
  t.match(
    mistakes({ RETENTION_MS: '29999' }),
    [/^RETENTION_MS/],
    'an open stream would be forgotten between two refreshes'
  )
  t.match(mistakes({ PRESENCE_TTL_MS: '1000' }), [/^PRESENCE_TTL_MS/])
})

t.test('TRUST_PROXY accepts addresses and ranges, and nothing else', async t => {
  t.strictSame(loadConfig({ TRUST_PROXY: '10.0.0.0/8, 192.0.2.1,2001:db8::/32' }).trustProxy, [
    '10.0.0.0/8',
    '192.0.2.1',
    '2001:db8::/32'
  ])
  for (const TRUST_PROXY of ['true', '1', '*', 'proxy.example', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::/129'])
    t.match(mistakes({ TRUST_PROXY }), [/^TRUST_PROXY must be IP addresses/], TRUST_PROXY)
})

t.test('CORS_ORIGINS accepts origins of pages and apps and all subdomains of one, and nothing else', async t => {
  const accepted = [
    '*',
    'https://app.example',
    'http://localhost:5173',
    'http://[::1]:3000',
    'https://*.example.com',
    'https://*.example.com:8443',
    'http://*.localhost:3000',
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'app://com.example.app',
    'chrome-extension://abcdefghijklmnop'
  ]
  t.strictSame(loadConfig({ CORS_ORIGINS: accepted.join(', ') }).corsOrigins, accepted)
  const refused = [
    'app.example',
    'https://app.example/',
    'https://App.example',
    'https://app.example:443',
    'https://*',
    'https://*.com',
    'https://*.*.example.com',
    'https://app-*.example.com',
    'https://app.*.com',
    '*.example.com',
    'capacitor://',
    'capacitor://localhost/x',
    'capacitor://*.localhost',
    'file://',
    'null'
  ]
  for (const CORS_ORIGINS of refused)
    t.match(mistakes({ CORS_ORIGINS }), [/^CORS_ORIGINS must be origins/], CORS_ORIGINS)
})

t.test('no message repeats a value of the environment', async t => {
  const typed = 'hunter2'
  const env = Object.fromEntries(Object.keys(SETTINGS).map(name => [name, typed]))
  t.throws(() => loadConfig(env), ConfigError)
  t.notMatch(mistakes(env).join('\n'), typed)
  t.match(mistakes({ JWT_SECRET: typed, HOST: '127.0.0.1' }), [/^JWT_SECRET must be secrets of at least 32 bytes/])
})

t.test('a session description stays below 1 MiB', async t => {
  t.strictSame(mistakes({ MAX_SDP_BYTES: '1048575' }), [])
  t.match(mistakes({ MAX_SDP_BYTES: '1048576' }), [/^MAX_SDP_BYTES must be a whole number from 1024 to 1048575/])
})

t.test('a short secret, and a service URL with a user or password, are refused', async t => {
  const long = SECRET
  for (const name of ['JWT_SECRET', 'TURN_SECRETS', 'ADMIN_SECRET']) {
    t.strictSame(mistakes({ [name]: `${long},${long}` }), [], name)
    for (const value of [',', `${long},`, `${long},short`, 'x'.repeat(31)])
      t.match(
        mistakes({ [name]: value }),
        [new RegExp(`^${name} must be secrets of at least 32 bytes`)],
        `${name}=${value}`
      )
  }
  t.match(mistakes({ ROOM_SERVICE_SECRET: 'x' }), [/^ROOM_SERVICE_SECRET must be at least 32 bytes/])
  for (const name of ['JWKS_URL', 'POLICY_URL', 'ROOM_SERVICE_URL', 'CHAT_SERVICE_URL']) {
    t.strictSame(mistakes({ [name]: 'https://service.example/path?key=1' }), [])
    for (const userinfo of ['admin:hunter2', 'admin', ':hunter2']) {
      const found = mistakes({ [name]: `https://${userinfo}@service.example/` })
      t.strictSame(found, [`${name} must not contain a user name or password`])
    }
  }
})

const KEY = `whsec_${Buffer.alloc(24, 'k').toString('base64')}`
/** Its base64 has a `+`. */
const PLUS_KEY = `whsec_${Buffer.alloc(24, 0xfb).toString('base64')}`

t.test('webhooks: each URL has a filter and its secrets', async t => {
  const { webhookUrls, webhookSecrets } = loadConfig({
    WEBHOOK_URLS: 'https://a.example/hook?x=1#call.ended,room.*, https://b.example/#call.*,http://c.example',
    WEBHOOK_SECRETS: `${KEY}+${PLUS_KEY}, ${PLUS_KEY},${KEY}`
  })
  t.strictSame(
    webhookUrls.map(({ url }) => url),
    ['https://a.example/hook?x=1', 'https://b.example/', 'http://c.example']
  )
  const [a, b, c] = webhookUrls.map(({ types }) => types)
  t.ok(a?.has('call.ended') && a.has('room.closed') && !a.has('call.incoming') && !a.has('chat.message'))
  t.ok(b?.has('call.record') && b.has('call.ended') && !b.has('room.closed'))
  t.ok(c?.has('presence.changed') && c.has('call.record'), 'without a filter, every event')
  t.notOk(c?.has('push'), 'but the one with push subscriptions')
  for (const type of ['signal.offer', 'signal.candidates', 'chat.typing', 'sfu.consumer_closed', 'room.joined'])
    t.notOk(c?.has(type), `${type} is sent to no webhook`)
  t.ok(webhookUrls.every(({ id }) => /^[0-9a-f]{12}$/.test(id)))
  t.strictSame(
    webhookSecrets.map(keys => keys.map(key => key.toString('base64'))),
    [[KEY, PLUS_KEY], [PLUS_KEY], [KEY]].map(keys => keys.map(key => key.slice('whsec_'.length)))
  )
})

t.test('webhooks: mistakes are named without the URL and without the secret', async t => {
  const URL = 'https://hidden.example'
  const urls = (value: string) =>
    mistakes({
      WEBHOOK_URLS: value,
      WEBHOOK_SECRETS: value
        .split('://')
        .slice(1)
        .map(() => KEY)
        .join(',')
    })
  for (const filter of ['calls.*', 'call', '', 'call.*,', '*', 'signal.*', 'call.ended+room.closed'])
    t.match(urls(`${URL}#${filter}`), [/^WEBHOOK_URLS must have filters/], filter)
  for (const url of ['ftp://hidden.example', 'hidden.example', `${URL}#call.*#room.*`, `${URL}/?a=1,2`, `${URL} x`])
    t.match(urls(url)[0], /^WEBHOOK_URLS must be http or https URLs/, url)
  t.match(urls('https://me:secret@hidden.example'), [/^WEBHOOK_URLS must not contain a user name/])
  t.match(urls(`${URL}/#call.*,${URL}/#room.*`), [/^WEBHOOK_URLS must not name a URL twice/])
  for (const secret of [
    'hidden',
    'whsec_hidden',
    KEY.replace('whsec_', ''),
    `${KEY}+hidden`,
    `whsec_${'A'.repeat(100)}`
  ])
    t.match(mistakes({ WEBHOOK_URLS: URL, WEBHOOK_SECRETS: secret })[0], /^WEBHOOK_SECRETS must be whsec_/, secret)
  t.match(mistakes({ WEBHOOK_URLS: URL }), [/^WEBHOOK_SECRETS must have one item for each of WEBHOOK_URLS/])
  t.match(mistakes({ WEBHOOK_SECRETS: KEY }), [/^WEBHOOK_SECRETS must have one item for each of WEBHOOK_URLS/])
  const all = mistakes({ WEBHOOK_URLS: `${URL}#calls.*`, WEBHOOK_SECRETS: 'hidden', WEBHOOK_TIMEOUT_MS: '0' })
  t.equal(all.length, 3)
  t.notMatch(all.join('\n'), /hidden/)
})

t.test(
  'signing keys are different keys of 32 bytes in base64url; only development mode has one by default',
  async t => {
    const key = (byte: number) => Buffer.alloc(32, byte).toString('base64url')
    t.strictSame(loadConfig({ SIGNING_KEYS: `${key(1)}, ${key(2)}` }).signingKeys, [key(1), key(2)])
    for (const value of [
      'x',
      key(1).slice(1),
      `${key(1)}=`,
      `${key(1)},`,
      `${key(1)},${key(1)}`,
      Buffer.alloc(33).toString('base64url'),
      Buffer.alloc(32, 255).toString('base64'),
      // The last character has bits that are not part of the key.
      `${key(1).slice(0, -1)}F`
    ])
      t.match(mistakes({ SIGNING_KEYS: value }), [/^SIGNING_KEYS must be different keys/], value)
    t.strictSame(loadConfig({ JWT_SECRET: SECRET }).signingKeys, [])
    t.equal(loadConfig({}).signingKeys.length, 1)
    t.strictSame(loadConfig({}).signingKeys, loadConfig({}).signingKeys, 'the next start accepts the same tokens')
  }
)
