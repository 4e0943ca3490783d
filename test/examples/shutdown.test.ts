// How the process ends: on SIGTERM it drains, on SIGINT it ends at once.
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { type Program, run } from '../helpers/child-process.js'

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url))
/** The exit status of curl after an incomplete body (docs/decisions/0030-ends-of-streams.md). */
const PARTIAL_FILE = 18

async function start(t: Test, env: Record<string, string>): Promise<{ server: Program; url: string; listen: string }> {
  const server = run(t, process.execPath, [MAIN], {
    env: { PORT: '0', LOG_LEVEL: 'warn', ...env }
  })
  const text = await server.waitForOutput(/API: http\S+\/docs\n/)
  const [listen = ''] = /curl -N .*/.exec(text) ?? []
  return { server, listen, url: /listens on (\S+)/.exec(text)?.[1] ?? '' }
}

/** Runs the curl command that the server has printed. */
async function openStream(t: Test, line: string): Promise<Program> {
  const curl = run(t, 'bash', ['-c', line])
  await curl.waitForOutput(/^event: hello$/m)
  return curl
}

t.test('on SIGTERM streams are sent away over the window, and the process exits with 0', async t => {
  const settleMs = 300
  const windowMs = 500
  const env = { DRAIN_SETTLE_MS: String(settleMs), DRAIN_WINDOW_MS: String(windowMs) }
  const { server, url, listen } = await start(t, env)
  const bob = await openStream(t, listen)
  // A connection without a request, such as a browser opens in advance, must not delay the end.
  const spare = connect(Number(new URL(url).port), '127.0.0.1').resume()
  t.teardown(() => spare.destroy())
  await once(spare, 'connect')
  t.equal((await fetch(`${url}/readyz`)).status, 200)

  const from = performance.now()
  server.signal('SIGTERM')
  t.equal(await bob.waitForExit(), PARTIAL_FILE, 'the body is cut short, after which clients come back')
  t.match(bob.stdout(), /event: reconnect\n.*"afterMs":\d+.*event: end\n.*"reason":"drain","reconnect":true/s)
  t.equal(await server.waitForExit(), 0)
  const tookMs = performance.now() - from
  t.ok(tookMs >= settleMs && tookMs < settleMs + windowMs + 5000, `it took ${Math.round(tookMs)} ms`)
  t.equal(server.stderr(), '')
})

t.test('on SIGINT the process exits with 0 at once', async t => {
  const { server, listen } = await start(t, { DRAIN_SETTLE_MS: '600000', DRAIN_WINDOW_MS: '600000' })
  const bob = await openStream(t, listen)
  server.signal('SIGINT')
  t.equal(await bob.waitForExit(), PARTIAL_FILE)
  t.equal(await server.waitForExit(), 0)
})
