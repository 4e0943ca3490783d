// What the playground answers to callers without a token: its page, its settings and, in development mode, tokens.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { buildPage } from '../helpers/page-files.js'
import { startServers } from '../helpers/servers.js'

const SECRET = { JWT_SECRET: 'a-secret-of-more-than-thirty-two-bytes' }
const TOKENS = '/playground/tokens'
const JSON_TYPE = 'application/json'

await buildPage()

async function start(t: Test, env: Record<string, string> = {}) {
  const [server] = await startServers(t, { engine: 'memory' }, env)
  const url = server?.url ?? ''
  const ask = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${url}${TOKENS}`, { method: 'POST', body, headers: { 'content-type': JSON_TYPE, ...headers } })
  return { url, ask }
}

const codeOf = async (reply: Response) => ((await reply.json()) as { code?: string }).code

t.test('a flood from one address is refused, whatever it asks for, and not one from another address', async t => {
  const { url, ask } = await start(t, { RATE_LIMIT_ADDRESS: '40', TRUST_PROXY: '127.0.0.1' })
  const flooder = { 'x-forwarded-for': '203.0.113.7' }
  const alice = '{"user":"alice"}'
  for (let round = 0; round < 8; round++) {
    t.equal((await ask(alice, flooder)).status, 200)
    t.equal((await ask('{"user":', flooder)).status, 400, 'a refused body is charged too')
    for (const path of ['/', '/playground/main.js', '/playground/settings'])
      t.equal((await fetch(`${url}${path}`, { headers: flooder })).status, 200, path)
  }
  for (const reply of [
    await ask(alice, flooder),
    await ask('{"user":', flooder),
    await fetch(`${url}/`, { headers: flooder })
  ]) {
    t.ok(Number(reply.headers.get('retry-after')) > 0)
    t.match([reply.status, await codeOf(reply)], [429, 'rate_limited'])
  }
  t.equal((await ask(alice, { 'x-forwarded-for': '203.0.113.8' })).status, 200)
})

t.test('hostile bodies are refused with typed problems', async t => {
  const { ask } = await start(t, { RATE_LIMIT_ADDRESS: '1000' })
  const user = '"user":"alice"'
  const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
  const rooms = (count: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`room-${i}`, {}])))
  const cases: [name: string, body: string, code: string, headers?: Record<string, string>][] = [
    ['none', '', 'invalid_request'],
    ['no JSON', 'user=alice', 'unsupported_media_type', { 'content-type': 'application/x-www-form-urlencoded' }],
    [
      'what a form can send without a preflight',
      `{${user}}`,
      'unsupported_media_type',
      { 'content-type': 'text/plain' }
    ],
    ['half of it', '{"user":"al', 'malformed_json'],
    ['a list', '["alice"]', 'invalid_request'],
    ['null', 'null', 'invalid_request'],
    ['no user', '{}', 'invalid_request'],
    ['a user of another type', '{"user":{"toString":"alice"}}', 'invalid_request'],
    ['a user with a line end', '{"user":"a\\nb"}', 'invalid_request'],
    ['a long user', JSON.stringify({ user: 'a'.repeat(1000) }), 'invalid_request'],
    ['a bad device', `{${user},"device":""}`, 'invalid_request'],
    ['another claim', `{${user},"exp":9999999999}`, 'invalid_request'],
    ['a prototype', `{${user},"__proto__":{"rooms":{}}}`, 'malformed_json'],
    ['an unknown role', `{${user},"rooms":{"lobby":{"role":"king"}}}`, 'invalid_request'],
    ['depth', `{${user},"rooms":${deep(500)}}`, 'too_large'],
    ['too many bytes', JSON.stringify({ user: 'a'.repeat(1_000_000) }), 'too_large'],
    ['more rooms than a token can carry', `{${user},"rooms":${rooms(2000)}}`, 'too_large']
  ]
  for (const [name, body, code, headers] of cases) {
    const reply = await ask(body, headers)
    t.match(reply.headers.get('content-type'), /^application\/problem\+json/)
    t.match([Math.floor(reply.status / 100), await codeOf(reply)], [4, code], name)
  }
  t.match(await (await ask(`{${user}}`)).json(), { token: /^ey/ }, 'the server goes on')
})

/** Sends the request line as it is: `fetch` would make the path canonical. Resolves to the whole reply. */
function sendRaw(url: string, line: string, headers: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url)
  const body = '{"user":"alice"}'
  const head = [
    `Host: ${hostname}`,
    `Content-Type: ${JSON_TYPE}`,
    `Content-Length: ${body.length}`,
    'Connection: close'
  ]
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname)
    socket.setEncoding('utf8').on('data', chunk => {
      text += chunk
    })
    socket.on('error', reject).on('close', () => resolve(text))
    socket.end(`${[`POST ${line} HTTP/1.1`, ...head, ...headers].join('\r\n')}\r\n\r\n${body}`)
  })
}

/** Names under which a proxy or a lenient router might find it. */
const PATHS = [
  ...[TOKENS, `${TOKENS}/`, `${TOKENS}?user=alice`, `/${TOKENS}`, '/%70layground/tokens', '/playground%2Ftokens'],
  ...['/PLAYGROUND/TOKENS', '/v1/../playground/tokens', '/playground/./tokens', `/v1${TOKENS}`, `${TOKENS};x`],
  'http://localhost/playground/tokens'
]
/** What proxies add, and what some frameworks take the path, the method or the host from. */
const HEADERS = [
  [],
  ['X-Forwarded-For: 127.0.0.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: localhost'],
  [`X-Original-URL: ${TOKENS}`, `X-Rewrite-URL: ${TOKENS}`, 'X-HTTP-Method-Override: POST'],
  ['Forwarded: for=127.0.0.1;host=localhost', 'X-Forwarded-Prefix: /playground']
]

t.test('only a server in development mode makes tokens, behind a proxy too', async t => {
  const { ask } = await start(t)
  t.equal((await ask('{"user":"alice"}')).status, 200, 'development mode')
  const settings: [name: string, env: Record<string, string>, hasPage: boolean][] = [
    ['in development mode, without the page', { PLAYGROUND: 'off' }, false],
    ['with a secret', SECRET, false],
    ['with a secret and the page', { ...SECRET, PLAYGROUND: 'on' }, true],
    ['with a secret, behind a proxy', { ...SECRET, PLAYGROUND: 'on', TRUST_PROXY: '127.0.0.1' }, true],
    ['with keys of an identity provider', { JWKS_URL: 'http://127.0.0.1:9/keys', PLAYGROUND: 'on' }, true]
  ]
  for (const [name, env, hasPage] of settings) {
    const { url } = await start(t, { RATE_LIMIT_ADDRESS: '1000', ...env })
    for (const path of PATHS)
      for (const headers of HEADERS) {
        const reply = await sendRaw(url, path, headers)
        assert.match(reply, /^HTTP\/1\.1 40[0134]/, `${name}: ${path} ${headers.join()}`)
        assert.doesNotMatch(reply, /"token"|ey[\w-]{10}/)
      }
    t.match(await sendRaw(url, TOKENS, []), /^HTTP\/1\.1 404[\s\S]*"not_found"/, name)
    const page = await fetch(`${url}/playground/settings`)
    t.match([page.status, await page.json()], hasPage ? [200, { mintsTokens: false }] : [404, {}])
  }
})
