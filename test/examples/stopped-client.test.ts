// A program that is stopped in the middle of a call or room keeps its connection, and its kernel goes on taking bytes. Only
// acknowledgements tell that nobody is there any more.
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config.js'
import { createToken } from '../../src/development.js'
import { type Program, run } from '../helpers/child-process.js'
import { Client } from '../helpers/client.js'
import { startServers } from '../helpers/servers.js'

/** Two heartbeats are time enough for a device to answer on a busy machine. */
const TIMES = {
  HEARTBEAT_MS: '500',
  PRESENCE_TTL_MS: '1500',
  AWAY_AFTER_MS: '200',
  GRACE_MS: '600',
  ROOM_RECONNECT_MS: '400'
}

/** More heartbeats that asked than a silent device would get. */
const ANSWERED = /(?:^heartbeat .*"ack":true[\s\S]*?){5}/m

async function people(t: Test) {
  const [{ url } = { url: '' }] = await startServers(t, { engine: 'memory' }, TIMES)
  const tokenOf = (user: string) => createToken(loadConfig({}), user, 'phone')
  const alice = new Client(url, { token: await tokenOf('alice'), device: 'phone' })
  const events = alice.hear('sse')
  await events.next()
  t.teardown(() => alice.leave())
  /** Alice's next event of this type. */
  async function hears(type: string) {
    for (;;) {
      const { value } = await events.next()
      if (value?.type === type) return value.data
    }
  }
  async function device(user: string, query: string): Promise<Program> {
    const program = run(t, process.execPath, ['test/helpers/device.mjs', url, await tokenOf(user), query])
    await program.prints(/^hello /m)
    return program
  }
  const as = async (user: string) => new Client(url, { token: await tokenOf(user), device: 'phone' })
  return { url, alice, as, hears, device }
}

t.test('a device that is stopped in a call is missed, and its call ends', async t => {
  const { alice, as, hears, device } = await people(t)
  const program = await device('bob', '?ack=true')
  await alice.post('/calls', { callId: 'c1', to: 'bob' })
  await program.prints(/^call\.incoming /m)
  await (await as('bob')).post('/calls/c1/accept')
  await hears('call.accepted')
  await program.prints(ANSWERED)
  program.signal('SIGSTOP')
  t.match(await hears('call.peer_away'), { device: { user: 'bob', device: 'phone' } })
  t.match(await hears('call.ended'), { reason: 'lost', endedBy: { user: 'bob', device: 'phone' } })
  program.signal('SIGCONT')
  await program.prints(/^end .*"reason":"unresponsive","reconnect":true/m)
})

t.test('a device that is stopped in a room has left it', async t => {
  const { alice, as, hears, device } = await people(t)
  await alice.post('/rooms/r1/participants')
  const program = await device('bob', '?ack=true')
  await (await as('bob')).post('/rooms/r1/participants')
  await hears('room.participant_joined')
  await program.prints(ANSWERED)
  program.signal('SIGSTOP')
  t.match(await hears('room.participant_left'), { reason: 'lost' })
})
