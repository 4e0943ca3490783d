// A client that is stopped (SIGSTOP) during a call or in a room keeps its connection, and its kernel still accepts bytes. Only missing
// acknowledgements show that it does not read.
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { type Program, run } from '../helpers/child-process.js'
import { Client } from '../helpers/client.js'
import { startServers } from '../helpers/servers.js'

/** Two heartbeats, within which a device must acknowledge, last long enough on a busy machine. */
const TIMES = {
  HEARTBEAT_MS: '500',
  PRESENCE_TTL_MS: '1500',
  AWAY_AFTER_MS: '200',
  GRACE_MS: '600',
  ROOM_RECONNECT_MS: '400'
}

/** Five heartbeats with `ack: true`: a device that does not answer gets fewer. */
const ANSWERED = /(?:^heartbeat .*"ack":true[\s\S]*?){5}/m

async function startClients(t: Test) {
  const [{ url } = { url: '' }] = await startServers(t, { engine: 'memory' }, TIMES)
  const tokenOf = (user: string) => createToken(loadConfig({}), { user, device: 'phone' })
  const alice = new Client(url, { token: await tokenOf('alice'), device: 'phone' })
  const events = alice.events('sse')
  await events.next()
  t.teardown(() => alice.close())
  /** Alice's next event of this type. */
  async function receives(type: string) {
    for (;;) {
      const { value } = await events.next()
      if (value?.type === type) return value.data
    }
  }
  async function device(user: string, query: string): Promise<Program> {
    const program = run(t, process.execPath, ['test/helpers/device.mjs', url, await tokenOf(user), query])
    await program.waitForOutput(/^hello /m)
    return program
  }
  const as = async (user: string) => new Client(url, { token: await tokenOf(user), device: 'phone' })
  return { url, alice, as, receives, device }
}

t.test('a device that is stopped in a call counts as away, and its call ends', async t => {
  const { alice, as, receives, device } = await startClients(t)
  const program = await device('bob', '?ack=true')
  await alice.post('/calls', { callId: 'c1', to: 'bob' })
  await program.waitForOutput(/^call\.incoming /m)
  await (await as('bob')).post('/calls/c1/accept')
  await receives('call.accepted')
  await program.waitForOutput(ANSWERED)
  program.signal('SIGSTOP')
  t.match(await receives('call.peer_away'), { device: { user: 'bob', device: 'phone' } })
  t.match(await receives('call.ended'), { reason: 'lost', endedBy: { user: 'bob', device: 'phone' } })
  program.signal('SIGCONT')
  await program.waitForOutput(/^end .*"reason":"unresponsive","reconnect":true/m)
})

t.test('a device that is stopped in a room leaves it as lost', async t => {
  const { alice, as, receives, device } = await startClients(t)
  await alice.post('/rooms/r1/participants')
  const program = await device('bob', '?ack=true')
  await (await as('bob')).post('/rooms/r1/participants')
  await receives('room.participant_joined')
  await program.waitForOutput(ANSWERED)
  program.signal('SIGSTOP')
  t.match(await receives('room.participant_left'), { reason: 'lost' })
})
