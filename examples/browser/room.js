// The page of a room: who is signed in, and the room of this page. signalpost.js connects to the server, room-media.js to the other
// browsers or the media service; view.js and room-view.js show the state to the user.
import { showMediaTable } from './media-table.js'
import { RoomMedia, takeCamera } from './room-media.js'
import * as view from './room-view.js'
import { askToSignIn, createQueue, inOrder, keepInLink, link } from './sign-in.js'
import { addLogLine, find, showError, showStatus } from './view.js'

/** What the user reads when a participant has left. */
const DEPARTURES = {
  left: who => `${who} has left.`,
  removed: (who, by) => `${by.user} has removed ${who}.`,
  lost: who => `${who} was away for too long.`,
  replaced: who => `${who} has joined again.`
}

let signalpost
let user = null
/**
 * The room that this page is in or joins: { room, isMuted, camera, own, users, media }. `own` is our participant id, `users` has the user of
 * each participant, `media` is a RoomMedia.
 */
let active = null

askToSignIn({
  onSignedIn(signedIn, { presence }) {
    signalpost = signedIn
    user = presence.user
    showStatus(`You are ${user}. Which room do you want to join?`)
    show()
    // The room of the link, or the room that the page was in before it was reloaded.
    const room = link.get('room')
    if (room) enter(room)
  },
  onEvent
})

// ── Joining ───────────────────────────────────────────────────────────────────────────────────────────────────────────

find('join').addEventListener('submit', event => {
  event.preventDefault()
  enter(event.target.room.value.trim())
})

function enter(room) {
  const current = { room, isMuted: false }
  active = current
  keepInLink('room', room)
  view.dropMessages()
  showStatus(`Joining ${room}…`)
  show()
  attempt(current, async () => {
    current.camera = await takeCamera()
    if (active !== current) return stop(current.camera)
    await inOrder(() => active === current && join(current))
  })
}

/** Joins as a new participant, and replaces an earlier one of this tab: its state may be out of date. */
async function join(current) {
  current.media?.close()
  const { iceServers } = await signalpost.get('/ice-servers')
  const joined = await send(current, 'post', 'participants', { replace: true, metadata: { muted: current.isMuted } })
  const { participantId: own, participants } = joined
  // The user left while the request was in flight.
  if (active !== current) return send(current, 'delete', `participants/${own}`)
  view.dropAllParticipants()
  view.showPressed('screen', false)
  Object.assign(current, { own, users: new Map() })
  for (const participant of participants) showNew(participant)
  current.media = new RoomMedia({ joined, iceServers, camera: current.camera, ...callbacksOf(current) })
  showRoomName()
  show()
  showHistory(current).catch(showError)
}

function callbacksOf(current) {
  return {
    send: (...request) => send(current, ...request),
    onMode: view.showMode,
    onStream: (...stream) => active === current && view.showStream(...stream),
    onUnavailable: showStatus,
    onPaused: (source, by) => {
      if (source === 'audio') setMuted(true)
      showStatus(`${by.user} has muted you.`)
    },
    onStopped: (source, by) => {
      if (source === 'screen') shareScreen(null)
      showStatus(`${by.user} has stopped your ${source}.`)
    },
    onError: error => active === current && showError(error)
  }
}

/** Shows the messages that were written before we joined, or whose events were missed. */
async function showHistory(current) {
  const { messages } = await signalpost.get(`${pathOf(current)}/messages`)
  if (active === current) for (const message of messages) view.showMessage(message)
}

// ── Events ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const HANDLERS = {
  'room.participant_joined': ({ participant }) => {
    // The reply to our join may have contained this participant already.
    if (active.users.has(participant.participantId)) return
    showNew(participant)
    active.media.add(participant.participantId)
    showStatus(`${participant.user} has joined.`)
  },
  'room.participant_updated': ({ participant }) => {
    if (active.users.has(participant.participantId)) view.showParticipant(participant, { isOwn: isOwn(participant) })
    if (participant.away) showStatus(`${participant.user} has lost the network. Waiting…`)
    else showRoomName()
  },
  'room.participant_left': data => (data.participantId === active.own ? handleRemoval(data) : removeParticipant(data)),
  'room.mute_requested': ({ mute, by }) => {
    if (mute.includes('audio')) setMuted(true)
    showStatus(`${by.user} asks you to mute.`)
  },
  'room.updated': ({ changes: { mode }, offerOrder }) => mode && changeMode(mode, offerOrder),
  'sfu.active_speaker': ({ participantId }) => view.showSpeaker(participantId),
  'room.closed': ({ by }) => finish(by ? `${by.user} has closed the room.` : 'The room has been closed.'),
  'chat.message': view.showMessage
}

async function onEvent({ type, data }) {
  // Events may have been missed, among them signals, which are not in the snapshot.
  if (type === 'reset') return active?.media && joinAgain('Events were missed')
  if (!active?.media || data.roomId !== active.room) return
  if (/^(signal|sfu)\./.test(type)) active.media.receive(type, data)
  await HANDLERS[type]?.(data)
}

const isOwn = ({ participantId }) => participantId === active.own

function showNew(participant) {
  active.users.set(participant.participantId, participant.user)
  view.showParticipant(participant, { isOwn: isOwn(participant) })
  if (isOwn(participant)) view.showStream(participant.participantId, 'camera', active.camera)
}

function changeMode(mode, offerOrder) {
  active.media.changeMode(mode, offerOrder)
  showStatus(mode === 'sfu' ? 'Media flows through the media service.' : 'Media flows directly.')
}

function removeParticipant({ participantId, user: who, reason, by }) {
  active.users.delete(participantId)
  active.media.remove(participantId)
  view.dropParticipant(participantId)
  showStatus(DEPARTURES[reason](who, by))
}

/** This participant has left the room. */
function handleRemoval({ reason, by }) {
  if (reason === 'lost') return joinAgain('You were away for too long')
  finish(DEPARTURES[reason]('you', by))
}

function joinAgain(why) {
  const current = active
  showStatus(`${why}. Joining ${current.room} again…`)
  return attempt(current, () => join(current))
}

// ── Actions of the user ───────────────────────────────────────────────────────────────────────────────────────────────

const inMessageOrder = createQueue()

find('write').addEventListener('submit', event => {
  event.preventDefault()
  const current = active
  // The id is chosen here, so that a repeated request cannot write the message twice.
  const body = { messageId: crypto.randomUUID(), content: event.target.content.value }
  event.target.reset()
  inMessageOrder(async () => {
    const { message } = await send(current, 'post', 'messages', body)
    if (active === current) view.showMessage(message)
  }).catch(showError)
})

find('mute').addEventListener('click', () => setMuted(!active.isMuted))

/** Muting happens in this browser; the metadata shows it to the others. */
function setMuted(isMuted) {
  const current = active
  current.isMuted = isMuted
  for (const track of current.camera.getAudioTracks()) track.enabled = !isMuted
  if (!isMuted) current.media.resume('audio')
  view.showPressed('mute', isMuted)
  inOrder(async () => {
    if (active !== current) return
    const body = { metadata: { muted: isMuted } }
    const { participant } = await send(current, 'patch', `participants/${current.own}`, body)
    if (active === current) view.showParticipant(participant, { isOwn: true })
  }).catch(showError)
}

/** What a moderator does with a participant. The acting device gets no event. */
const MODERATION = {
  mute: ({ media }, { participant }) => media.mute(participant),
  stop: ({ media }, { participant, picture }) => media.stopPicture(participant, picture),
  async remove(current, { participant, user: who }) {
    await send(current, 'delete', `participants/${participant}`)
    if (active === current)
      removeParticipant({ participantId: participant, user: who, reason: 'removed', by: { user } })
  }
}

view.onModerate((action, tile) => {
  const current = active
  inOrder(() => MODERATION[action](current, tile)).catch(showError)
})

find('screen').addEventListener('click', async () => {
  const current = active
  if (view.isPressed('screen')) return shareScreen(null)
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 5 }, audio: true })
    if (active !== current) return stop(stream)
    for (const track of stream.getVideoTracks()) track.onended = () => active === current && shareScreen(null)
    shareScreen(stream)
  } catch (error) {
    showError(error)
  }
})

/** Null ends it. */
function shareScreen(stream) {
  active.media.shareScreen(stream)
  view.showPressed('screen', stream !== null)
}

find('mode').addEventListener('click', () => {
  const current = active
  const mode = current.media.mode === 'sfu' ? 'p2p' : 'sfu'
  inOrder(async () => {
    const { room, offerOrder } = await signalpost.put(pathOf(current), { mode })
    // The acting device gets no event.
    if (active === current) changeMode(room.mode, offerOrder)
  }).catch(showError)
})

view.onResize((...picture) => active?.media?.resize(...picture))

/** Statistics change all the time. */
setInterval(async () => {
  if (!active?.media) return
  const { media, users } = active
  const rows = await media.report()
  if (active?.media === media) showMediaTable(rows, { mode: media.mode, nameOf: id => users.get(id) })
}, 1000)

// ── Leaving ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Leaves on this page at once, even if the request cannot be sent yet. */
find('leave').addEventListener('click', () => {
  const current = active
  finish(`You have left ${current.room}.`)
  if (current.own)
    send(current, 'delete', `participants/${current.own}`).catch(error => addLogLine('error', error.message))
})

// Without this the others would see a frozen picture until the server counts this device as lost.
addEventListener('pagehide', () => {
  if (active?.own) signalpost.deleteOnPageHide(`${pathOf(active)}/participants/${active.own}`)
})

// The page is shown again from the back/forward cache of the browser: its state is out of date.
addEventListener('pageshow', event => event.persisted && location.reload())

function finish(why) {
  active.media?.close()
  stop(active.camera)
  active = null
  keepInLink('room', null)
  view.dropAllParticipants()
  view.showPressed('mute', false)
  view.showPressed('screen', false)
  showStatus(why)
  show()
}

/** Runs a step. An error leaves this room, but not one that has replaced it. */
async function attempt(current, step) {
  try {
    await step()
  } catch (error) {
    addLogLine('error', error.message)
    if (active === current) finish(error.message)
  }
}

function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop()
}

function pathOf({ room }) {
  return `/rooms/${encodeURIComponent(room)}`
}

async function send(current, method, path, body) {
  const reply = await signalpost[method](`${pathOf(current)}/${path}`, body)
  const [what, kind] = path.split('/')
  addLogLine('out', `${method.toUpperCase()} ${what === 'sfu' ? `sfu/${kind}` : what}`, { data: body })
  return reply
}

function show() {
  const phase = active?.media ? 'in' : active ? 'joining' : 'out'
  view.showPhase({ isSignedIn: user !== null, phase })
}

function showRoomName() {
  showStatus(`You are in ${active.room}.`)
}
