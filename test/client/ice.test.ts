// What the server says about ICE reaches each connection; and a call whose connection cannot be repaired ends.
import t from 'tap'
import type { MsDevice, MsTransport } from '../../packages/client/src/mediasoup.js'
import { startMediaService } from '../helpers/sfu.js'
import { until } from '../helpers/until.js'
import { connected } from './call-rules.js'
import { next, startPeople, withChannel, wrtc } from './people.js'

const TURN = {
  TURN_URLS: 'turn:eu.example.com#eu,turn:us.example.com#us',
  TURN_SECRETS: 'a-secret-of-more-than-thirty-two-bytes',
  ICE_TRANSPORT_POLICY: 'relay'
}
const ofRegion = (name: string) => ({
  iceTransportPolicy: 'relay',
  iceServers: [{ urls: [`turn:${name}.example.com`], username: /:alice$/ }]
})

/** A class of connections that notes how they are made. */
function recordingConnections() {
  const made: RTCConfiguration[] = []
  class Recorded extends wrtc.RTCPeerConnection {
    constructor(configuration: RTCConfiguration) {
      super(configuration)
      made.push(configuration)
    }
  }
  return { made, RTCPeerConnection: Recorded as unknown as typeof RTCPeerConnection }
}

t.test('a call uses the servers of the region and the policy, unless the application has others', async t => {
  const connect = await startPeople(t, { engine: 'memory' }, TURN)
  await connect('bob')
  const { made, RTCPeerConnection } = recordingConnections()
  for (const region of ['eu', 'us']) {
    const alice = await connect('alice', { RTCPeerConnection, region })
    await (await alice.call('bob', withChannel)).hangup()
    await (await alice.call('bob', { ...withChannel, rtc: { iceTransportPolicy: 'all' } })).hangup()
  }
  const [us, eu] = [ofRegion('us'), ofRegion('eu')]
  t.match(made, [eu, { ...eu, iceTransportPolicy: 'all' }, us, { ...us, iceTransportPolicy: 'all' }])
})

/** Of mediasoup-client, what a room needs to open its transports. */
function recordingMediasoup() {
  const made: object[] = []
  const create = (options: object): MsTransport => {
    made.push(options)
    return { id: (options as { id: string }).id, closed: false, on() {}, close() {} } as unknown as MsTransport
  }
  class Device {
    readonly recvRtpCapabilities = {}
    async load() {}
    readonly createSendTransport = create
    readonly createRecvTransport = create
  }
  return { made, mediasoup: async () => ({ Device: Device as unknown as new () => MsDevice }) }
}

t.test('so does a room in mode sfu', async t => {
  const { service, env } = await startMediaService()
  t.teardown(() => service.close())
  const connect = await startPeople(t, { engine: 'memory' }, { ...TURN, ...env })
  const { made, mediasoup } = recordingMediasoup()
  // A room begins in mode p2p.
  Object.assign(globalThis, { MediaStream: wrtc.MediaStream })
  const alice = await connect('alice', { mediasoup, region: 'eu' })
  const room = await alice.join('standup', { mode: 'sfu' })
  await until('both transports are open', () => made.length === 2)
  t.match(made, Array(2).fill({ ...ofRegion('eu'), iceCandidates: Array }))
  await room.leave()
  // mediasoup-client makes its connections with these settings last.
  const rtc: RTCConfiguration = { iceTransportPolicy: 'all', iceServers: [] }
  const again = await alice.join('standup', { mode: 'sfu', rtc })
  await until('both transports are open anew', () => made.length === 4)
  t.match(made.slice(2), Array(2).fill({ additionalSettings: rtc }))
  await again.leave()
})

/** Connections that can say that they have failed, which takes real ones 15 seconds or more. */
function breakableConnections() {
  let isBroken = false
  let restarts = 0
  const made: RTCPeerConnection[] = []
  const get = (connection: RTCPeerConnection, name: string) => {
    if (name === 'connectionState') return isBroken ? 'failed' : 'connected'
    if (name === 'restartIce') restarts++
    const value = Reflect.get(connection, name)
    return typeof value === 'function' ? value.bind(connection) : value
  }
  function Breakable(configuration: RTCConfiguration) {
    made.push(new wrtc.RTCPeerConnection(configuration))
    return new Proxy(made.at(-1) as RTCPeerConnection, { get: (target, name) => get(target, String(name)) })
  }
  const set = (broken: boolean) => {
    isBroken = broken
    for (const each of made) each.onconnectionstatechange?.(new Event('connectionstatechange'))
  }
  return {
    breakAll: () => set(true),
    mendAll: () => set(false),
    restarts: () => restarts,
    isConnected: () => made.some(({ connectionState }) => connectionState === 'connected'),
    RTCPeerConnection: Breakable as unknown as typeof RTCPeerConnection
  }
}

t.test('a call ends as media_failed when ICE restarts have not helped', async t => {
  const connect = await startPeople(t, { engine: 'memory' })
  const { breakAll, RTCPeerConnection } = breakableConnections()
  const options = { RTCPeerConnection, times: { iceRestartsMs: [10, 10, 10] } }
  const { call, answered } = await connected((user, others) =>
    connect(user, user === 'alice' ? { ...others, ...options } : others)
  )
  const ends = [next(call, 'ended'), next(answered, 'ended')]
  breakAll()
  t.match(await Promise.all(ends), [{ reason: 'media_failed' }, { reason: 'media_failed', by: { user: 'alice' } }])
  t.equal(call.peerConnection, null)
})

t.test('a participant of a room in mode p2p restarts ICE until it helps', async t => {
  const connect = await startPeople(t, { engine: 'memory' })
  Object.assign(globalThis, { MediaStream: wrtc.MediaStream })
  const connections = breakableConnections()
  const bob = await connect('bob')
  const bobs = await bob.join('standup')
  const { RTCPeerConnection } = connections
  const alice = await connect('alice', { RTCPeerConnection, times: { iceRestartsMs: [10, 10, 10] } })
  const room = await alice.join('standup')
  await until('they are connected', connections.isConnected)
  for (const times of [8, 16]) {
    connections.breakAll()
    await until(`${times} restarts`, () => connections.restarts() >= times)
    connections.mendAll()
  }
  t.notOk(room.isClosed)
  await Promise.all([room.leave(), bobs.leave()])
})
