// How media flows in a room: directly between the participants (mesh.js), or through the media service (sfu.js). The mode of the room
// decides, and it may change while people are in the room: by a host, or because no media service is up.
import { Mesh } from './mesh.js'
import { Sfu } from './sfu.js'

const CAMERA = { width: 640, height: 360, frameRate: 15 }

export const takeCamera = () => navigator.mediaDevices.getUserMedia({ audio: true, video: CAMERA })

export class RoomMedia {
  mode
  #options
  #own
  #camera
  #screen = null
  /** The ids of all participants, us included, in the order they joined. */
  #order
  /** Mesh or Sfu. */
  #flow

  /**
   * `joined`: the reply to joining. `camera`: the stream of camera and microphone. `send(method, path, body)` sends a request to the room.
   * Further options are callbacks, described in sfu.js.
   */
  constructor({ joined, camera, ...options }) {
    this.#own = joined.participantId
    this.#camera = camera
    this.#options = options
    this.#order = joined.participants.map(({ participantId }) => participantId)
    const { room, sfu, producers } = joined
    this.#begin(room.mode, { ...sfu, producers })
  }

  #begin(mode, { sessionId = null, available = true, producers = [] } = {}) {
    this.mode = mode
    this.#flow = mode === 'sfu' ? this.#createSfu({ sessionId, available, producers }) : this.#createMesh()
    this.#options.onMode(mode, available)
  }

  #createSfu(state) {
    const { send, ...options } = this.#options
    const tracks = this.#camera.getTracks().map(track => [track, track.kind])
    for (const track of this.#screen?.getTracks() ?? []) tracks.push([track, 'screen'])
    const request = (method, path, body) => send(method, `sfu/${path}`, body)
    const sfu = new Sfu({ ...options, own: this.#own, tracks, request })
    sfu.start(state)
    return sfu
  }

  #createMesh() {
    const { send, ...options } = this.#options
    const post = (action, signal) => send('post', action, signal)
    const mesh = new Mesh({ ...options, own: this.#own, media: this.#camera, post })
    // Each participant offers to those who joined before it.
    const place = this.#order.indexOf(this.#own)
    for (const [i, participantId] of this.#order.entries())
      if (i !== place) mesh.add(participantId, { offers: i < place })
    return mesh
  }

  /** `offerOrder`: who was in the room when the mode became p2p, in the order that all agree on. */
  changeMode(mode, offerOrder = []) {
    if (mode === this.mode) return
    const { length } = offerOrder
    const place = participantId => (offerOrder.includes(participantId) ? offerOrder.indexOf(participantId) : length)
    this.#order.sort((a, b) => place(a) - place(b))
    this.#flow.close()
    this.#begin(mode)
  }

  add(participantId) {
    this.#order.push(participantId)
    if (this.mode === 'p2p') this.#flow.add(participantId, { offers: false })
  }

  remove(participantId) {
    this.#order = this.#order.filter(each => each !== participantId)
    this.#flow.remove(participantId)
  }

  /** Handles the events `signal.*` and `sfu.*`. Those of the other mode were on their way when the mode changed. */
  receive(type, data) {
    if (type.startsWith('signal.') === (this.mode === 'p2p')) this.#flow.receive(type, data)
  }

  /** The screen, with its sound if the browser gives it, is sent through the media service only: in mode p2p it waits. Null ends it. */
  shareScreen(stream) {
    if (stream === null) this.#stopScreen()
    this.#screen = stream
    if (this.mode !== 'sfu') return
    if (stream) for (const track of stream.getTracks()) this.#flow.send('screen', track)
    else this.#flow.stopSending('screen')
  }

  #stopScreen() {
    for (const track of this.#screen?.getTracks() ?? []) track.stop()
  }

  /** Sends again what a moderator has paused. */
  resume(source) {
    if (this.mode === 'sfu') return this.#flow.resumeSending(source)
  }

  /** As a moderator: mutes a participant, or closes one of its pictures. In mode p2p the server has no hold of what is sent. */
  async mute(participantId) {
    if (this.mode === 'sfu') await this.#flow.pauseOther(participantId, 'audio')
  }

  async stopPicture(participantId, picture) {
    if (this.mode === 'sfu') await this.#flow.closeOther(participantId, picture === 'screen' ? 'screen' : 'video')
  }

  /** The picture of a participant is now this wide on the page, in pixels. */
  resize(participantId, picture, width) {
    if (this.mode === 'sfu') this.#flow.resize(participantId, picture, width)
  }

  /** Who sends what to whom: `{ isSent, participantId, source, isPaused, stats }`, without a participant for what we send to all. */
  report() {
    return this.#flow.report()
  }

  close() {
    this.#flow.close()
    this.#stopScreen()
  }
}
