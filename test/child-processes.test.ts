// No child process survives the test file that has started it.
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { run } from './helpers/child-process.js'
import { until } from './helpers/until.js'

const TESTS = fileURLToPath(new URL('.', import.meta.url))

const isListening = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  t.test(`when a test file is ended by ${signal}, its servers and what these have started end too`, async t => {
    const file = run(t, process.execPath, [`${TESTS}helpers/left-processes.js`])
    const output = await file.waitForOutput(/# ports (\d+ ?){3}\n/)
    const ports = (/# ports (.*)/.exec(output)?.[1] ?? '').split(' ').map(Number)
    t.strictSame(await Promise.all(ports.map(isListening)), [true, true, true])
    file.signal(signal)
    for (const port of ports) await until(`nothing listens on ${port}`, async () => !(await isListening(port)))
  })
}

t.test('every process that a test starts has a guard', async t => {
  const files = (readdirSync(TESTS, { recursive: true }) as string[]).filter(file => file.endsWith('.ts'))
  const unguarded = files.flatMap(file =>
    readFileSync(TESTS + file, 'utf8')
      .split('\n')
      .filter(line => /(?<!\w)(spawn|fork)\(/.test(line))
      .map(line => `${file}: ${line.trim()}`)
  )
  const allowed = [/guard\(spawn\(/, /helpers\/child-process\.ts: const watchdog = /]
  t.strictSame(
    unguarded.filter(line => !allowed.some(pattern => pattern.test(line))),
    []
  )
})
