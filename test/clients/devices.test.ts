// The doorbell in POSIX shell and the door station in MicroPython, with a real server. CPython runs the latter; what it imports and calls is
// compared with what MicroPython 1.22 has.
import t, { type Test } from 'tap'
import { run } from '../helpers/child-process.js'
import { Client, type ClientEvent } from '../helpers/client.js'
import { startServers, tokenOf } from '../helpers/servers.js'

const NO_PROBLEM = ''

async function startAs(t: Test, user: string) {
  const [server] = await startServers(t, { engine: 'memory' })
  const url = server?.url ?? ''
  const client = new Client(url, { token: await tokenOf(user), device: 'phone' })
  t.teardown(() => client.close())
  const events = client.events('sse')
  await events.next()
  return { url, client, next: (type: string) => nextOf(events, type) }
}

async function nextOf(events: AsyncGenerator<ClientEvent>, type: string): Promise<ClientEvent['data']> {
  for (;;) {
    const { value } = await events.next()
    if (value.type === type) return value.data
  }
}

const ring = async (t: Test, url: string, to: string) =>
  run(t, 'sh', ['examples/clients/shell/doorbell.sh', to], {
    env: { URL: url, TOKEN: await tokenOf('front-door'), UNLOCK: 'echo the door opens' }
  })

t.test('the doorbell rings a user, opens the door on a message, and ends when the user answers', async t => {
  const { url, client, next } = await startAs(t, 'bob')
  const doorbell = await ring(t, url, 'bob')
  const { callId } = await next('call.incoming')
  await client.post(`/calls/${callId}/messages`, { content: 'hello there' })
  await doorbell.waitForOutput(/bob says: hello there/)
  await client.post(`/calls/${callId}/messages`, { content: 'unlock' })
  await doorbell.waitForOutput(/the door opens/)
  await client.post(`/calls/${callId}/accept`)
  t.equal(await doorbell.waitForExit(), 0)
  t.equal(doorbell.stdout(), 'ringing at bob\nbob says: hello there\nbob says: unlock\nthe door opens\nbob is coming\n')
  t.equal(doorbell.stderr(), NO_PROBLEM)
  t.equal((await next('call.ended')).reason, 'hangup')
})

t.test('the doorbell says why a call has ended, or was refused', async t => {
  const { url, client, next } = await startAs(t, 'bob')
  const doorbell = await ring(t, url, 'bob')
  const { callId } = await next('call.incoming')
  await client.post(`/calls/${callId}/reject`)
  t.equal(await doorbell.waitForExit(), 0)
  t.equal(doorbell.stdout(), 'ringing at bob\ndeclined\n')

  const refused = await ring(t, url, 'nobody')
  t.equal(await refused.waitForExit(), 1)
  t.match(refused.stderr(), /"code":"callee_unreachable"/)
})

t.test('a doorbell that is stopped stops ringing', async t => {
  const { url, next } = await startAs(t, 'bob')
  const doorbell = await ring(t, url, 'bob')
  await next('call.incoming')
  await doorbell.waitForOutput(/ringing/)
  doorbell.signal('SIGTERM')
  t.equal((await next('call.ended')).reason, 'cancelled')
})

const STATION = `
import sys
sys.path.insert(0, "examples/clients/micropython")
import door_station
class Bell:
    def value(self, level):
        print("bell", level)
def show(text):
    print("message", text)
door_station.DoorStation(sys.argv[1], sys.argv[2], bell=Bell(), on_message=show).run()
`

t.test('the door station rings its bell, answers, passes messages on, and is free for the next call', async t => {
  const { url, client, next } = await startAs(t, 'alice')
  const station = run(t, 'python3', ['-u', '-c', STATION, url, await tokenOf('door')])
  // It has read its snapshot, so it can be reached.
  await station.waitForOutput(/bell 0/)
  for (const callId of ['first/call', 'second call']) {
    const path = `/calls/${encodeURIComponent(callId)}`
    await client.post('/calls', { to: 'door', callId })
    await next('call.accepted')
    await client.post(`${path}/messages`, { content: `in ${callId}` })
    await station.waitForOutput(new RegExp(`message in ${callId}`))
    await client.post(`${path}/hangup`)
    await station.waitForOutput(new RegExp(`message in ${callId}\nended: hangup`))
  }
  t.equal(station.stderr(), NO_PROBLEM)
})

/** In the documentation of MicroPython 1.22. */
const MICROPYTHON = {
  modules: ['json', 'socket', 'ssl', 'time'],
  builtins: [
    'Exception',
    'OSError',
    'ValueError',
    'bytes',
    'chr',
    'hasattr',
    'int',
    'len',
    'open',
    'print',
    'range',
    'str'
  ]
}

const LIST_NAMES = `
import ast, builtins, json, sys
tree = ast.parse(open("examples/clients/micropython/door_station.py").read())
nodes = list(ast.walk(tree))
print(json.dumps({
  "modules": sorted({alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}),
  "from": [node.module for node in nodes if isinstance(node, ast.ImportFrom)],
  "fstrings": sum(isinstance(node, ast.JoinedStr) for node in nodes),
  "builtins": sorted({node.id for node in nodes if isinstance(node, ast.Name) and node.id in dir(builtins)}),
}))
`

t.test('the door station needs nothing that MicroPython does not have', async t => {
  const listing = run(t, 'python3', ['-c', LIST_NAMES])
  t.equal(await listing.waitForExit(), 0, listing.stderr())
  const { modules, builtins, from, fstrings } = JSON.parse(listing.stdout())
  t.same({ from, fstrings }, { from: [], fstrings: 0 })
  for (const name of modules) t.ok(MICROPYTHON.modules.includes(name), `module ${name}`)
  for (const name of builtins) t.ok(MICROPYTHON.builtins.includes(name), `built-in ${name}`)
})
