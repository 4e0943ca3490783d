// Runs examples/curl/call.sh and `npm run token` as a user does.
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import t from 'tap'
import { run } from '../helpers/child-process.js'
import { LAYOUTS, nameOf, startServers, tokenOf } from '../helpers/servers.js'

const OUTPUT = `alice receives hello
bob receives hello
alice calls bob
bob receives call.incoming
bob answers
alice receives call.accepted
alice offers, bob answers
bob receives signal.offer
alice receives signal.answer
both send candidates
bob receives signal.candidates
alice receives signal.candidates
media flows
alice receives call.connected
alice hangs up
bob receives call.ended
done: call-by-curl`

for (const layout of LAYOUTS) {
  t.test(`a whole call with curl, on ${nameOf(layout)}`, async t => {
    const servers = await startServers(t, layout)
    const childProcess = run(t, 'bash', ['examples/curl/call.sh'], {
      env: {
        ALICE: await tokenOf('alice'),
        BOB: await tokenOf('bob'),
        ALICE_BASE: servers[0]?.url ?? '',
        BOB_BASE: servers.at(-1)?.url ?? '',
        CALL: 'call-by-curl'
      }
    })
    t.equal(await childProcess.waitForExit(), 0)
    t.equal(childProcess.stdout().replace(/^ +/gm, '').trim(), OUTPUT)
    t.equal(childProcess.stderr(), '')
  })
}

t.test('the script shows the problem when something is refused', async t => {
  const [server] = await startServers(t, { engine: 'memory' })
  const env = { BASE: server?.url ?? '', BOB: await tokenOf('bob'), CALL: 'once' }
  const first = run(t, 'bash', ['examples/curl/call.sh'], { env: { ...env, ALICE: await tokenOf('alice') } })
  t.equal(await first.waitForExit(), 0, first.stderr())
  const second = run(t, 'bash', ['examples/curl/call.sh'], { env: { ...env, ALICE: await tokenOf('carol') } })
  t.equal(await second.waitForExit(), 1)
  t.match(second.stderr(), /"code":"call_id_taken"/)
})

t.test('the script makes its own tokens in any directory, and shows why a stream does not open', async t => {
  const [server] = await startServers(t, { engine: 'memory' })
  const script = resolve('examples/curl/call.sh')
  const runWith = async (env: Record<string, string>) => {
    const childProcess = run(t, 'bash', [script], { env, cwd: tmpdir() })
    return { code: await childProcess.waitForExit(), stderr: childProcess.stderr() }
  }
  const BASE = server?.url ?? ''
  t.strictSame(await runWith({ BASE }), { code: 0, stderr: '' })
  const tokens = { ALICE: await tokenOf('alice'), BOB: await tokenOf('bob') }
  t.match(await runWith({ BASE, ...tokens, ALICE: 'no-token' }), {
    code: 1,
    stderr: /alice did not receive hello.*"code":"unauthorized"/s
  })
  t.match(await runWith({ BASE: 'http://127.0.0.1:1', ...tokens }), {
    code: 1,
    stderr: /Failed to connect|Couldn't connect/
  })
  t.match(await runWith({ BASE, JWKS_URL: 'http://127.0.0.1:1/keys' }), { code: 1, stderr: /JWKS_URL/ })
})

t.test('npm run token prints only a token', async t => {
  const [server] = await startServers(t, { engine: 'memory' })
  const npm = run(t, 'npm', ['run', '--silent', 'token', '--', 'alice'])
  t.equal(await npm.waitForExit(), 0)
  const token = /^([\w-]+\.[\w-]+\.[\w-]+)\n$/.exec(npm.stdout())?.[1]
  const reply = await fetch(`${server?.url}/v1/snapshot`, { headers: { authorization: `Bearer ${token}` } })
  t.match(await reply.json(), { presence: { user: 'alice' } })
})

t.test('npm run token signs with the secret of the server', async t => {
  const JWT_SECRET = 'a-secret-of-more-than-thirty-two-bytes'
  const [server] = await startServers(t, { engine: 'memory' }, { JWT_SECRET })
  const npm = run(t, 'npm', ['run', '--silent', 'token', '--', 'bob', 'laptop'], { env: { JWT_SECRET } })
  t.equal(await npm.waitForExit(), 0)
  const headers = { authorization: `Bearer ${npm.stdout().trim()}` }
  t.equal((await fetch(`${server?.url}/v1/snapshot`, { headers })).status, 200)
  const other = { ...headers, 'x-device-id': 'phone' }
  t.equal((await fetch(`${server?.url}/v1/snapshot`, { headers: other })).status, 403, 'it is a token for one device')
})
