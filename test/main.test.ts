// The process as people start it, by its command line. The tests use the commands that it prints.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { guard } from './helpers/child-process.js'

const root = fileURLToPath(new URL('..', import.meta.url))

function start(t: Test, script: string, env: Record<string, string>, ...args: string[]) {
  const { PATH = '' } = process.env
  const child = guard(spawn(process.execPath, [script, ...args], { cwd: root, env: { PATH, ...env } }))
  t.teardown(() => child.kill('SIGKILL'))
  const output = { out: '', err: '' }
  child.stdout.on('data', chunk => {
    output.out += chunk
  })
  child.stderr.on('data', chunk => {
    output.err += chunk
  })
  return { child, output }
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  const [code] = await once(child, 'close')
  return code
}

/** Runs lines that were printed, as a client would in a second terminal. Resolves to the replies. */
async function paste(lines: readonly string[]): Promise<unknown[]> {
  const childProcess = guard(spawn('bash', ['-c', lines.join('\necho\n').replaceAll('curl', 'curl -sS')]))
  let text = ''
  for await (const chunk of childProcess.stdout) text += chunk
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
}

/** Resolves with the first line that matches. */
async function lineOf(child: ReturnType<typeof spawn>, pattern: RegExp): Promise<string> {
  if (!child.stdout) throw new Error('no output')
  for await (const line of createInterface(child.stdout)) if (pattern.test(line)) return line
  throw new Error(`it ended without ${pattern}`)
}

t.test('a port that is in use is named, with what to do', async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  for (const [setting, env] of [
    ['PORT', { PORT: `${port}` }],
    ['ADMIN_PORT', { PORT: '0', ADMIN_PORT: `${port}` }]
  ] as const) {
    const { child, output } = start(t, 'src/main.js', env)
    t.equal(await exitOf(child), 1)
    t.match(
      output.err,
      `${setting}: 127.0.0.1:${port} is in use by another process; choose another port, such as ${setting}=8081`
    )
  }
})

t.test('the commands that it prints make a call, as often as they are pasted', async t => {
  const { child, output } = start(t, 'src/main.js', { PORT: '0', DRAIN_SETTLE_MS: '0', DRAIN_WINDOW_MS: '0' })
  await lineOf(child, /More tokens/)
  const commands = output.out.split('\n').filter(line => /^ {2}(curl|CALL)/.test(line))
  const [alice, bob] = commands.slice(0, 2).map(line => {
    const stream = guard(spawn('bash', ['-c', `exec ${line.trim()}`]))
    t.teardown(() => stream.kill())
    const lines = createInterface(stream.stdout)[Symbol.asyncIterator]()
    return async (event: string) => {
      for (let each = await lines.next(); !each.done; each = await lines.next()) {
        if (each.value === `event: ${event}`) return true
      }
      return false
    }
  }) as [(event: string) => Promise<boolean>, (event: string) => Promise<boolean>]
  for (const hears of [alice, bob]) t.ok(await hears('hello'))
  for (let times = 0; times < 2; times++) {
    t.match(await paste(commands.slice(2)), [
      { resolution: 'created', call: { state: 'ringing', caller: { user: 'alice' } } },
      { call: { state: 'connecting', callee: { user: 'bob', device: 'default' } } },
      { call: { state: 'ended', reason: 'hangup' } }
    ])
    t.ok(await alice('call.accepted'))
    t.ok((await bob('call.incoming')) && (await bob('call.ended')))
  }

  child.kill('SIGTERM')
  t.ok(await bob('reconnect'), 'open streams receive `reconnect` first')
  t.equal(await exitOf(child), 0)
  t.notMatch(
    output.out
      .split('\n')
      .filter(line => line.startsWith('{'))
      .join('\n'),
    /eyJ/,
    'no token in the log'
  )
})

t.test('npm run token prints a token that the server accepts, and nothing else', async t => {
  const secret = { JWT_SECRET: 'a-secret-of-more-than-thirty-two-bytes' }
  const { child, output } = start(t, 'scripts/token.js', secret, 'carol', 'phone')
  t.equal(await exitOf(child), 0)
  t.match(output.out, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  t.equal(output.err, '')

  const server = start(t, 'src/main.js', { ...secret, PORT: '0', ADMIN_PORT: '0', ADMIN_HOST: '127.0.0.1' })
  const listening = createInterface(server.child.stdout)[Symbol.asyncIterator]()
  const next = async () => (JSON.parse((await listening.next()).value) as { msg: string }).msg.split(' ').at(-1)
  const [adminUrl, url] = [await next(), await next()]
  t.equal((await fetch(`${adminUrl}/metrics`)).status, 200)
  t.equal((await fetch(`${url}/metrics`)).status, 404)
  const headers = { authorization: `Bearer ${output.out.trim()}` }
  t.equal((await fetch(`${url}/v1/calls`, { headers })).status, 200)
  t.equal((await fetch(`${url}/v1/calls`)).status, 401)
  t.notMatch(server.output.out, 'curl', 'it prints no tokens outside of development mode')
  server.child.kill('SIGINT')
  t.equal(await exitOf(server.child), 0)
})

t.test('a second signal ends the process at once', async t => {
  const { child } = start(t, 'src/main.js', { PORT: '0', DRAIN_SETTLE_MS: '600000' })
  await lineOf(child, /More tokens/)
  const { stdout } = child
  child.kill('SIGTERM')
  for await (const line of createInterface(stdout)) if (line.includes('closing')) break
  child.kill('SIGTERM')
  t.equal(await exitOf(child), 1)
})

t.test('all mistakes in the configuration are printed, and the process exits', async t => {
  const { child, output } = start(t, 'src/main.js', { PORT: 'http', HOST: '0.0.0.0', JWT_SECRET: 'short' })
  t.equal(await exitOf(child), 1)
  t.match(output.err, /PORT must/)
  t.match(output.err, /JWT_SECRET must/)
  t.notMatch(output.err, 'short')
})

t.test('the log says what to set when a media service has another secret', async t => {
  const mediaService = createServer((_, response) => response.writeHead(401).end('{"code":"unauthorized"}'))
  await once(mediaService.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => mediaService.close())
  const { child } = start(t, 'src/main.js', {
    PORT: '0',
    MEDIA_SERVICE_URLS: `http://127.0.0.1:${(mediaService.address() as AddressInfo).port}`,
    MEDIA_SERVICE_SECRET: 'a-secret-of-more-than-thirty-two-bytes'
  })
  t.match(await lineOf(child, /health checks/), 'replied with 401: MEDIA_SERVICE_SECRET must be the same')
})
