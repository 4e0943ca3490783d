// One side of a call with the client of Socket.IO, on servers/hardened-server.mjs. With TRANSPORT=default it begins with HTTP and upgrades.
import { io } from 'socket.io-client'
import { awaitEnd, createInbox, printAnswered, printReady, signalOf } from './side.mjs'

const { URL: url, TOKEN, CALL_ID, TRANSPORT, ROLE } = process.env
const ACKNOWLEDGED_WITHIN_MS = 5000
const EVENTS = [
  'call.incoming',
  'call.accepted',
  'signal.offer',
  'signal.answer',
  'signal.candidates',
  'call.ended',
  'connect'
]
const { arrive, next } = createInbox()
const socket = io(url, { auth: { token: TOKEN }, ...(TRANSPORT === 'default' ? {} : { transports: [TRANSPORT] }) })
for (const event of EVENTS)
  socket.on(event, (data, acknowledge) => {
    acknowledge?.()
    arrive(event, data)
  })

async function send(verb, fields) {
  const { status } = await socket.timeout(ACKNOWLEDGED_WITHIN_MS).emitWithAck(verb, { callId: CALL_ID, ...fields })
  if (status >= 300) throw new Error(`${verb}: ${status}`)
}

const ROLES = {
  async call({ sdp, candidates }) {
    await send('create', { to: 'bob', media: 'audio' })
    await next('call.accepted')
    await send('offer', { sdp })
    await send('candidates', { candidates })
    await Promise.all([next('signal.answer'), next('signal.candidates')])
    printAnswered()
    await send('hangup')
  },
  async answer({ sdp, candidates }) {
    printReady()
    await next('call.incoming')
    await send('accept')
    await next('signal.offer')
    await send('answer', { sdp })
    await send('candidates', { candidates })
    await next('signal.candidates')
    await next('call.ended')
  }
}

await next('connect')
await ROLES[ROLE](signalOf(ROLE === 'call' ? 'caller' : 'callee'))
await awaitEnd()
socket.close()
