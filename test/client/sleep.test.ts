// A machine that sleeps: its program is stopped, and its connection is gone when it goes on.
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { run } from '../helpers/child-process.js'
import { until } from '../helpers/until.js'
import { Caller, startProxiedNode, tokenOf } from './fixture.js'

const HEARTBEAT_MS = 4000
/** Longer than a heartbeat, and shorter than the time after which a silent stream counts as dead. */
const ASLEEP_MS = HEARTBEAT_MS + 1500

t.test('after a sleep the client reconnects at once', async t => {
  const { node, proxy } = await startProxiedNode(t, { HEARTBEAT_MS: String(HEARTBEAT_MS) })
  const program = run(t, process.execPath, [
    '--enable-source-maps',
    fileURLToPath(new URL('sleeper.js', import.meta.url)),
    proxy.url,
    await tokenOf('bob')
  ])
  await program.waitForOutput(/^live$/m)
  const caller = await Caller.call(t, node.url)
  await caller.send()
  await program.waitForOutput(/^message 1$/m)
  const lastEventAt = Date.now()
  program.signal('SIGSTOP')
  proxy.killStreams()
  await caller.send()
  await until('it has slept', () => Date.now() - lastEventAt > ASLEEP_MS)
  program.signal('SIGCONT')
  await program.waitForOutput(/^message 2$/m)
  t.ok(Date.now() - lastEventAt < 2 * HEARTBEAT_MS, 'before the missing heartbeats show it')
  await program.waitForOutput(/^live\nmessage 1\nconnecting\nmessage 2\nlive$/m)
})
