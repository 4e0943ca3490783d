// Runs in a page of test/client/pages.ts: a user of the SDK with a camera.
import { Signalpost } from './client/index.js'

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

/** Events of calls and rooms, in order. */
const log = []
const tiles = new Map()

function keep(what, emitter, types) {
  const plain = data => (data instanceof Error ? { message: String(data) } : data)
  for (const type of types) emitter.on(type, data => log.push({ what, type, data: plain(data) }))
}

function keepCall(call) {
  globalThis.call = call
  const states = ['ringing', 'accepted', 'connected', 'ended', 'transferring', 'transfer_failed', 'transferred']
  keep('call', call, [...states, 'held', 'media', 'peer_away', 'peer_back', 'error'])
}

/** Shows what the others send, one element for each stream. */
function keepRoom(room) {
  globalThis.room = room
  keep('room', room, ['participant_left', 'closed', 'rejoined', 'unavailable', 'error'])
  room.on('track', ({ participant, source, stream, attach }) => {
    const key = `${participant.user} ${source === 'screen' ? 'screen' : 'camera'}`
    const known = tiles.get(key)
    if (known?.stream === stream) return
    const video = known?.video ?? document.body.appendChild(document.createElement('video'))
    Object.assign(video, { autoplay: true, muted: true, width: 160 })
    tiles.set(key, { stream, video })
    attach(video)
  })
  room.on('track_ended', ({ participant, source, stream }) => {
    if (stream.getTracks().length > 0) return
    const key = `${participant.user} ${source === 'screen' ? 'screen' : 'camera'}`
    tiles.get(key)?.video.remove()
    tiles.delete(key)
  })
}

function stateOfCall() {
  const { signalingState, connectionState } = globalThis.call?.peerConnection ?? {}
  const transceivers = globalThis.call?.peerConnection?.getTransceivers() ?? []
  const directions = transceivers.map(
    ({ mid, direction, currentDirection }) => `${mid} ${direction} ${currentDirection}`
  )
  return JSON.stringify({ signalingState, connectionState, directions, wire })
}

/** Signals that were sent and received. */
const wire = []

globalThis.sdk = {
  log,

  async connect({ url, token, device, answers = true, resumes = false }) {
    const mediasoup = () => import('./mediasoup-client.js')
    const fetchAndKeep = async (url, init) => {
      const response = await fetch(url, init)
      if (/offer|answer|candidates|accept/.test(url)) wire.push(`POST ${url.split('/').at(-1)} ${response.status}`)
      return response
    }
    globalThis.client = new Signalpost({ url, token: () => token, device, mediasoup, fetch: fetchAndKeep })
    client.on('error', error => log.push({ what: 'client', type: 'error', data: String(error) }))
    client.on('incoming', async call => {
      keepCall(call)
      if (answers) await call.accept({ media: await this.camera() })
    })
    if (resumes) {
      client.on('resumable', async call => {
        keepCall(call)
        await call.resume({ media: await this.camera() })
      })
    }
    client.on('event', ({ type, data }) => type.startsWith('signal') && wire.push(`${type} ${data.revision}`))
    await client.connect()
  },

  async camera() {
    globalThis.media ??= await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } })
    return media
  },

  async call(user) {
    keepCall(await client.call(user, { media: await this.camera() }))
  },

  async join(roomId, options = {}) {
    keepRoom(await client.join(roomId, { media: await this.camera(), ...options }))
  },

  async share() {
    const canvas = document.createElement('canvas')
    const context = canvas.getContext('2d')
    setInterval(() => context.fillRect(Math.random() * 100, 0, 10, 10), 100)
    const [track] = canvas.captureStream(10).getVideoTracks()
    globalThis.screenPublication = await room.publish(track, { source: 'screen' })
  },

  /** Resolves to the number of frames of the other side of the call. */
  async frames() {
    const stats = [...(await call.peerConnection.getStats()).values()]
    const received = stats.filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'video')
    return received.reduce((sum, { framesDecoded = 0 }) => sum + framesDecoded, 0)
  },

  /** A renegotiation may begin the count anew. */
  async seesMoreFrames() {
    let before = await this.frames()
    let more = 0
    await this.until(async () => {
      const now = await this.frames()
      more += Math.max(0, now - before)
      before = now
      return more > 5
    })
  },

  /** Resolves when exactly these pictures play, such as `bob camera`. */
  async sees(...pictures) {
    await this.until(() => [...tiles.keys()].sort().join() === [...pictures].sort().join())
    const before = new Map(pictures.map(each => [each, this.shown(each)]))
    await this.until(() => pictures.every(each => this.shown(each) > before.get(each) + 3))
  },

  /** Grows while the picture plays. Firefox without a screen counts no frames. */
  shown(picture) {
    const { video } = tiles.get(picture) ?? {}
    if (!video?.videoWidth) return 0
    return video.getVideoPlaybackQuality().totalVideoFrames || Math.round(video.currentTime * 10)
  },

  widthOf: picture => tiles.get(picture)?.video.videoWidth ?? 0,
  streamOf: picture => tiles.get(picture)?.stream.id,
  resize: (picture, width) => Object.assign(tiles.get(picture).video, { width }) && undefined,

  async until(holds, withinMs = 20_000) {
    for (const end = performance.now() + withinMs; !(await holds()); await sleep(50))
      if (performance.now() > end)
        throw new Error(`in vain: ${holds}; ${JSON.stringify(log.slice(-20))}; ${[...tiles.keys()]}; ${stateOfCall()}`)
  },

  logged(type, times = 1) {
    return this.until(() => log.filter(each => each.type === type).length >= times)
  },

  errors: () => log.filter(({ type }) => type === 'error').map(({ data }) => String(data?.message ?? data))
}
