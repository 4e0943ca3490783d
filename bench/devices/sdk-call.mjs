// One side of a call with the core of packages/client.
import { SignalpostCore } from '../../packages/client/dist/core.js'
import { awaitEnd, createInbox, printAnswered, printReady, signalOf } from './side.mjs'

const { URL: url, TOKEN, CALL_ID, TRANSPORT, FLOW, ROLE } = process.env
const { arrive, next } = createInbox()
const client = new SignalpostCore({ url, token: () => TOKEN, device: 'device', transport: TRANSPORT })
client.on('event', ({ type, data }) => arrive(type, data))
const path = `/calls/${CALL_ID}`
const ROLES = {
  async call({ sdp, candidates }) {
    const more = FLOW === 'three' ? { offer: { sdp }, candidates, end: true } : {}
    await client.request('POST', '/calls', { callId: CALL_ID, to: 'bob', media: 'audio', ...more })
    await next('call.accepted')
    if (FLOW !== 'three') {
      await client.request('POST', `${path}/offer`, sdp)
      await client.request('POST', `${path}/candidates`, { candidates, end: true })
      await Promise.all([next('signal.answer'), next('signal.candidates')])
    }
    printAnswered()
    await client.request('POST', `${path}/hangup`)
  },
  async answer({ sdp, candidates }) {
    printReady()
    await next('call.incoming')
    const more = FLOW === 'three' ? { answer: { sdp }, candidates, end: true } : undefined
    await client.request('POST', `${path}/accept`, more)
    if (FLOW !== 'three') {
      await next('signal.offer')
      await client.request('POST', `${path}/answer?revision=1`, sdp)
      await client.request('POST', `${path}/candidates`, { candidates, end: true })
      await next('signal.candidates')
    }
    await next('call.ended')
  }
}

await client.connect()
await ROLES[ROLE](signalOf(ROLE === 'call' ? 'caller' : 'callee'))
await awaitEnd()
await client.close()
process.exit()
