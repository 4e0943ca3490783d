// npm run bench:transports -- [--rounds 5]
// What one call costs two devices by each transport: messages, connections, bytes on the wire, memory, time. Beside it the same call by
// Socket.IO's client, and by MQTT. Prints the table of docs/guides/embedded.md. What each client does: README.md.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measurePublisher, startBroker } from './devices/broker.mjs'
import { buildClients } from './devices/build.mjs'
import { startCountingProxy } from './devices/counting-proxy.mjs'
import { createInbox, signalOf } from './devices/side.mjs'
import { withFleets } from './harness/fleet.mjs'
import { memoryOf } from './harness/meters.mjs'
import { endingWithParent, remember } from './harness/processes.mjs'
import { median } from './harness/rounds.mjs'
import { createToken } from './harness/tokens.mjs'

const CALL_WITHIN_MS = 20_000
/** The callee's connection is open before the call begins. */
const SETTLE_MS = 200
const RTT_MS = 50
const FLOWS = { steps: 'seven steps', three: 'three messages' }
const MEASURE = fileURLToPath(new URL('../packages/c-client/measure.mjs', import.meta.url))
const here = name => fileURLToPath(new URL(`devices/${name}`, import.meta.url))

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } })

const inC = (title, transport) => ({
  title: `Signalpost, C client, ${title}`,
  server: 'signalpost',
  command: ({ folder, port, flow, role }) => [join(folder, 'signalpost-call'), '127.0.0.1', port, transport, flow, role]
})
const inNode = (title, { server, file, transport, flows }) => ({
  title,
  server,
  flows,
  env: { TRANSPORT: transport },
  command: () => [process.execPath, here(file)]
})
const sdk = (title, transport) =>
  inNode(`Signalpost, SDK core, ${title}`, { server: 'signalpost', file: 'sdk-call.mjs', transport })
const socketIo = (title, transport) =>
  inNode(`Socket.IO client, ${title}`, { server: 'hardened', file: 'socketio-call.mjs', transport, flows: ['steps'] })

/** Without `flows`: both. */
const CLIENTS = [
  inC('stream', 'stream'),
  inC('long-poll', 'poll'),
  {
    title: 'MQTT, mosquitto_pub and mosquitto_sub',
    server: 'broker',
    isScript: true,
    command: () => [process.execPath, here('mosquitto-call.mjs')]
  },
  {
    title: 'MQTT, libmosquitto on one connection',
    server: 'broker',
    command: ({ folder, port, flow, role }) => [join(folder, 'mqtt-call'), '127.0.0.1', port, flow, role]
  },
  sdk('stream', 'sse'),
  sdk('long-poll', 'poll'),
  socketIo('default', 'default'),
  socketIo('WebSocket only', 'websocket')
]

/** Starts one side behind a proxy of its own. `line(word)` of the result resolves to the rest of the line that begins with the word. */
async function startSide(client, { server, folder, flow, role, callId, rttMs }) {
  const proxy = await startCountingProxy(server.port, { rttMs })
  const port = `${proxy.port}`
  const [command, ...args] = client.command({ folder, port, flow, role })
  const env = {
    ...{ PATH: process.env.PATH, PORT: port, URL: `http://127.0.0.1:${port}`, ...client.env },
    ...{ CALL_ID: callId, FLOW: flow, ROLE: role, TOKEN: server.tokenOf(role === 'call' ? 'alice' : 'bob') }
  }
  const [program, ...rest] = endingWithParent(command, args)
  const child = remember(spawn(program, rest, { env, stdio: ['pipe', 'pipe', 'inherit'] }))
  const ended = once(child, 'close')
  const { arrive, next } = createInbox()
  createInterface(child.stdout).on('line', text => {
    const [word, rest = ''] = text.split(' ')
    arrive(word, rest)
  })
  const within = async work => {
    const late = sleep(CALL_WITHIN_MS, null, { ref: false }).then(() => Promise.reject(new Error('too late')))
    const died = ended.then(([code]) => Promise.reject(new Error(`ended with ${code}`)))
    return Promise.race([work, late, died]).catch(error => {
      throw new Error(`${client.title}, ${flow}, ${role}: ${error.message}`)
    })
  }
  return {
    line: word => within(next(word)),
    memory: async () => memoryOf((await next('over')) || child.pid),
    async stop() {
      child.stdin.end()
      await ended
      const counts = proxy.counts()
      proxy.stop()
      return counts
    }
  }
}

let calls = 0

async function measure(client, options) {
  const callId = `bench-${++calls}`
  const callee = await startSide(client, { ...options, role: 'answer', callId })
  await callee.line('ready')
  await sleep(SETTLE_MS)
  const caller = await startSide(client, { ...options, role: 'call', callId })
  const micros = Number(await caller.line('answered'))
  await Promise.all([caller.line('over'), callee.line('over')])
  const memory = await caller.memory()
  const [calling, answering] = await Promise.all([caller.stop(), callee.stop()])
  return { ms: micros / 1000, memory, caller: calling, callee: answering }
}

async function measureAll(servers, rounds) {
  const folder = buildClients()
  const { sdp, candidates } = signalOf('caller')
  const publisher = await measurePublisher(servers.broker, JSON.stringify({ sdp, candidates }))
  const rows = CLIENTS.flatMap(client =>
    (client.flows ?? Object.keys(FLOWS)).map(flow => ({ client, flow, near: [], far: [] }))
  )
  for (let round = 0; round < rounds; round++) {
    for (const { client, flow, near, far } of rows) {
      const options = { server: servers[client.server], folder, flow }
      near.push(await measure(client, { ...options, rttMs: 0 }))
      far.push(await measure(client, { ...options, rttMs: RTT_MS }))
      if (client.isScript) for (const kind of ['peak', 'own']) near.at(-1).memory[kind] += publisher[kind]
    }
  }
  return rows
}

/** Other work on the machine can only add to it. */
const leastMs = results => Math.min(...results.map(({ ms }) => ms))

const thousands = number => Math.round(number).toLocaleString('en-US')

function cells({ client, flow, near, far }) {
  const of = read => median(near.map(read))
  const both = read => `${of(({ caller }) => read(caller))} + ${of(({ callee }) => read(callee))}`
  const bytes = side => thousands(of(result => result[side].sent + result[side].received))
  return [
    `${client.title}, ${FLOWS[flow]}`,
    both(({ messages }) => messages),
    both(({ connections }) => connections),
    bytes('caller'),
    bytes('callee'),
    `${thousands(of(({ memory }) => memory.peak))} (${thousands(of(({ memory }) => memory.own))})`,
    leastMs(near).toFixed(1),
    leastMs(far).toFixed(0)
  ]
}

function printTable(rows) {
  const titles = [
    'Messages',
    'Connections',
    'Bytes, caller',
    'Bytes, callee',
    'Memory, KiB',
    'ms',
    `ms at ${RTT_MS} ms`
  ]
  const lines = [['Client and call', ...titles], ['---', ...titles.map(() => '---:')], ...rows.map(cells)]
  for (const line of lines) console.log(`| ${line.join(' | ')} |`)
}

/** Without the process around it, whose memory is that of the C library. */
function describeClientInC() {
  const figures = JSON.parse(execFileSync(process.execPath, [MEASURE, '--json'], { encoding: 'utf8' }))
  const each = figures.map(({ name, client, stack }) => `${name}: ${client} bytes static, ${stack} of stack`)
  return `The C client alone: ${each.join('; ')}.`
}

/** What any program in Node has. */
async function measureEmptyNode() {
  const child = remember(spawn(process.execPath, ['-e', "console.log('up'); process.stdin.resume()"]))
  await once(child.stdout, 'data')
  const { peak, own } = memoryOf(child.pid)
  child.stdin.end()
  return `${thousands(peak)} (${thousands(own)}) KiB`
}

function insistOn(command, debian) {
  if (spawnSync('which', [command]).status !== 0)
    throw new Error(`${command} is not on the PATH: apt-get install ${debian}`)
}

for (const command of ['mosquitto', 'mosquitto_pub', 'make', 'cc', 'redis-server'])
  insistOn(command, 'mosquitto mosquitto-clients libmosquitto-dev make gcc libc6-dev redis-server')
// It prints its version and fails.
const [, version] = /version (\S+)/.exec(spawnSync('mosquitto_sub', ['--version'], { encoding: 'utf8' }).stdout)
console.log(`Node ${process.version}, mosquitto ${version}, ${options.rounds} rounds\n`)

const wanted = [
  { name: 'signalpost', nodes: 1 },
  { name: 'hardened', nodes: 1, env: { TRANSPORTS: 'polling,websocket' } }
]
await withFleets(wanted, async ([signalpost, hardened]) => {
  const broker = await startBroker('a-password-of-32-bytes-for-mqtt-')
  const ofFleet = ({ servers, secret }) => ({
    port: servers[0].port,
    tokenOf: user => createToken(secret, { sub: user })
  })
  const servers = {
    signalpost: ofFleet(signalpost),
    hardened: ofFleet(hardened),
    broker: { ...broker, tokenOf: () => broker.password }
  }
  try {
    printTable(await measureAll(servers, Number(options.rounds)))
    const { sdp, candidates } = signalOf('caller')
    console.log(
      `\nOffer: ${sdp.length} bytes. Answer: ${signalOf('callee').sdp.length}. Candidates of each: ${candidates.length}.`
    )
    console.log(`An empty Node process: ${await measureEmptyNode()}.`)
    console.log(describeClientInC())
  } finally {
    await broker.stop()
  }
})
process.exit()
