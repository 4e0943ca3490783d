// Runs the commands of the README's first example, twice: every request succeeds, and both streams have the events that the README names.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../helpers/child-process.js'
import { startServers } from '../helpers/servers.js'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const section = /\n## A call in three requests\n(.*?)\n## /s.exec(readme)?.[1] ?? ''
const [aliceListens = '', bobListens = '', call = ''] = [...section.matchAll(/```sh\n(.*?)```/gs)].map(
  ([, text = '']) => text.trim()
)

/** Without heartbeats, which a busy machine has time for. */
const eventsIn = (file: string) =>
  [...readFileSync(file, 'utf8').matchAll(/^event: (.+)$/gm)]
    .map(([, type = '']) => type)
    .filter(type => type !== 'heartbeat')

/** Waits until the stream has this number of the event. */
const until = (file: string, event: string, count = 1) =>
  `until [ "$(grep -c '^event: ${event}$' '${file}')" -ge ${count} ]; do sleep 0.02; done`

t.test('a reader who pastes the first example of the README makes a call, each time', async t => {
  const [server] = await startServers(t, { engine: 'memory' })
  const folder = mkdtempSync(join(tmpdir(), 'readme-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const [alice, bob] = [join(folder, 'alice'), join(folder, 'bob')]
  const script = [
    "set -euo pipefail\ntrap 'kill $(jobs -p)' EXIT",
    `${aliceListens} >'${alice}' 2>/dev/null &`,
    `${bobListens} >'${bob}' 2>/dev/null &`,
    ...[alice, bob].map(file => until(file, 'hello')),
    call,
    until(bob, 'call.ended'),
    call,
    until(bob, 'call.ended', 2),
    until(alice, 'call.accepted', 2)
  ]
  const childProcess = run(
    t,
    'bash',
    ['-c', script.join('\n').replaceAll('http://127.0.0.1:8080', server?.url ?? '')],
    {
      withinMs: 60_000
    }
  )
  t.equal(await childProcess.waitForExit(), 0, childProcess.stdout() + childProcess.stderr())
  const replies = childProcess
    .stdout()
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  const once = [
    { resolution: 'created', outcomes: { accepted: 1, rejected: [] } },
    { call: { state: 'connecting', negotiation: { pendingFrom: null } }, outcomes: { accepted: 1 } },
    { call: { state: 'ended', reason: 'hangup' } }
  ]
  t.match(replies, [...once, ...once])
  t.strictSame(eventsIn(alice), ['hello', 'call.accepted', 'call.accepted'])
  t.strictSame(eventsIn(bob), ['hello', 'call.incoming', 'call.ended', 'call.incoming', 'call.ended'])
  const [, incoming = ''] = /^event: call.incoming\ndata: (.*)$/m.exec(readFileSync(bob, 'utf8')) ?? []
  t.match(JSON.parse(incoming).data, { offer: { revision: 1 }, candidates: [{ sdpMid: '0' }], end: true })
})
