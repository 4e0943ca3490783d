// One side of a call as a script does it: mosquitto_sub prints what arrives, and mosquitto_pub sends one message and ends. QoS 1. Prints the
// lines of the other clients; `over` names the process of mosquitto_sub.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { endingWithParent, remember } from '../harness/processes.mjs'
import { createInbox, printAnswered, printReady, signalOf } from './side.mjs'

const { PORT, TOKEN, CALL_ID, FLOW, ROLE } = process.env
const [self, other] = ROLE === 'call' ? ['alice', 'bob'] : ['bob', 'alice']
const server = ['-h', '127.0.0.1', '-p', PORT, '-u', self, '-P', TOKEN, '-q', '1']
const { arrive, next } = createInbox()

const [command, ...args] = endingWithParent('stdbuf', ['-oL', 'mosquitto_sub', ...server, '-d', '-t', `calls/${self}`])
const subscriber = remember(spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] }))
createInterface(subscriber.stdout).on('line', line => {
  if (line.startsWith('Subscribed')) arrive('subscribed')
  if (line.startsWith('{')) arrive(JSON.parse(line).type)
})

async function publish(type, fields = {}) {
  const text = JSON.stringify({ type, callId: CALL_ID, from: self, ...fields })
  const publisher = remember(spawn('mosquitto_pub', [...server, '-t', `calls/${other}`, '-m', text]))
  const [code] = await once(publisher, 'exit')
  if (code !== 0) throw new Error(`mosquitto_pub ended with ${code}`)
}

const ROLES = {
  async call({ sdp, candidates }) {
    await publish('call.incoming', FLOW === 'three' ? { sdp, candidates } : {})
    await next('call.accepted')
    if (FLOW !== 'three') {
      await publish('signal.offer', { sdp })
      await publish('signal.candidates', { candidates })
      await Promise.all([next('signal.answer'), next('signal.candidates')])
    }
    printAnswered()
    await publish('call.ended')
  },
  async answer({ sdp, candidates }) {
    printReady()
    await next('call.incoming')
    await publish('call.accepted', FLOW === 'three' ? { sdp, candidates } : {})
    if (FLOW !== 'three') {
      await next('signal.offer')
      await publish('signal.answer', { sdp })
      await publish('signal.candidates', { candidates })
      await next('signal.candidates')
    }
    await next('call.ended')
  }
}

await next('subscribed')
await ROLES[ROLE](signalOf(ROLE === 'call' ? 'caller' : 'callee'))
process.stdout.write(`over ${subscriber.pid}\n`)
for await (const _ of process.stdin);
const ended = once(subscriber, 'exit')
subscriber.kill('SIGINT') // It disconnects.
await ended
process.exit()
