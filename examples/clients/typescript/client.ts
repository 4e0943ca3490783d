// Makes a call (`./run.sh call bob`), or answers one (`./run.sh answer`): requests, events and negotiation by the SDK, a data channel by
// @roamhq/wrtc.
import wrtc from '@roamhq/wrtc'
import { type Call, type CallOptions, Signalpost } from '@signalpost/client'

const { SIGNALPOST_URL, SIGNALPOST_TOKEN, DEVICE, MEDIA } = process.env
const hasMedia = MEDIA !== 'none'

const client = new Signalpost({
  url: SIGNALPOST_URL ?? 'http://127.0.0.1:8080',
  token: () => SIGNALPOST_TOKEN ?? '',
  device: DEVICE ?? 'node',
  RTCPeerConnection: hasMedia ? (wrtc.RTCPeerConnection as unknown as typeof RTCPeerConnection) : null
})

/** Resolves when the call has ended; rejects for another reason than a hang-up. */
const ended = (call: Call) =>
  new Promise<void>((resolve, reject) =>
    call.on('ended', ({ reason }) => {
      if (reason !== 'hangup') return reject(new Error(`ended: ${reason}`))
      console.log(`ended: ${reason}`)
      resolve()
    })
  )

/** The SDK negotiates the connection. Without media it passes on descriptions, here one that is always the same. */
async function makeCall(user: string): Promise<void> {
  const { echo, setup } = sendHello()
  const options: CallOptions = hasMedia ? { setup } : { offer: { sdp: sdp('actpass') } }
  const call = await client.call(user, { kind: 'data', ...options })
  // What arrived before the reply to the create waits until now.
  call.on('accepted', () => console.log('accepted'))
  const answered = new Promise<void>(resolve => call.on('signal', ({ type }) => type === 'answer' && resolve()))
  const end = ended(call)
  const done = hasMedia ? echo.then(text => console.log(`echo: ${text}`)) : answered
  const early = end.then(() => Promise.reject(new Error('the other side has hung up')))
  await Promise.race([done, early])
  await Promise.all([call.hangup(), end])
}

/** What prepares the connection of the caller, and what the other side sends back. */
function sendHello() {
  let setup = (_connection: RTCPeerConnection): void => {}
  const echo = new Promise<string>(resolve => {
    setup = connection => {
      const channel = connection.createDataChannel('echo')
      channel.onopen = () => channel.send('hello')
      channel.onmessage = ({ data }) => resolve(data)
    }
  })
  return { echo, setup }
}

const sendBack = (connection: RTCPeerConnection): void => {
  connection.ondatachannel = ({ channel }) => {
    channel.onmessage = ({ data }) => channel.send(data)
  }
}

/** Answers the first call. */
async function answerCall(): Promise<void> {
  const incoming = new Promise<Call>(resolve => client.once('incoming', resolve))
  await client.connect()
  console.log('ready')
  const call = await incoming
  console.log(`incoming from ${call.from.user}`)
  const end = ended(call)
  await Promise.all([end, call.accept(hasMedia ? { setup: sendBack } : { answer: { sdp: sdp('active') } })])
}

/** A description of a data channel that is never opened. */
function sdp(setup: 'actpass' | 'active'): string {
  const fingerprint = Array(32).fill('D1').join(':')
  return `${[
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    'a=ice-ufrag:node',
    'a=ice-pwd:x9cml/YzichV2+XlhiMu8g',
    `a=fingerprint:sha-256 ${fingerprint}`,
    `a=setup:${setup}`,
    'a=mid:0',
    'a=sctp-port:5000'
  ].join('\r\n')}\r\n`
}

const [command, user] = process.argv.slice(2)

let hangingUp: Promise<unknown> = Promise.resolve()
process.once('SIGINT', () => {
  const hangups = [...client.calls.values()].map(call => call.hangup())
  hangingUp = Promise.allSettled(hangups).then(() => process.exit(130))
})

try {
  if (command === 'call' && user) {
    await client.connect()
    await makeCall(user)
  } else if (command === 'answer') await answerCall()
  else throw new Error('usage: run.sh answer | call USER')
  await client.close()
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
// A call ends here before the server knows.
await hangingUp
// @roamhq/wrtc 0.10 crashes if a process that had connections ends by itself.
process.exit()
