// The page of a room: who is signed in, and the room of this page. signalpost.js connects to the server, mesh.js to the other browsers;
// view.js and room-view.js show the state to the user.
import { Mesh } from './mesh.js'
import * as view from './room-view.js'
import { askToSignIn, createQueue, inOrder, keepInLink, link } from './sign-in.js'
import { addLogLine, find, showError, showStatus } from './view.js'

/** Each video is sent once to each other participant, so it is small. */
const MEDIA = { audio: true, video: { width: 320, height: 240, frameRate: 15 } }

/** What the user reads when a participant has left. */
const DEPARTURES = {
  left: who => `${who} has left.`,
  removed: (who, by) => `${by.user} has removed ${who}.`,
  lost: who => `${who} was away for too long.`,
  replaced: who => `${who} has joined again.`
}

let signalpost
let user = null
/** The room that this page is in or joins: { room, isMuted, media, own, mesh }. `own` is our participant id. */
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
    await takeMedia(current)
    await inOrder(() => active === current && join(current))
  })
}

async function takeMedia(current) {
  current.media = await navigator.mediaDevices.getUserMedia(MEDIA)
  if (active !== current) stop(current)
}

/** Joins as a new participant, and replaces an earlier one of this tab: its state may be out of date. */
async function join(current) {
  current.mesh?.close()
  const { iceServers } = await signalpost.get('/ice-servers')
  const body = { replace: true, metadata: { muted: current.isMuted } }
  const { participantId: own, participants } = await send(current, 'post', 'participants', body)
  // The user left while the request was in flight.
  if (active !== current) return send(current, 'delete', `participants/${own}`)
  const post = (action, signal) => send(current, 'post', action, signal)
  const onError = error => active === current && showError(error)
  Object.assign(current, { own, mesh: new Mesh({ own, iceServers, media: current.media, post, onError }) })
  view.dropAllParticipants()
  // In the order of joining. We send an offer to those who joined before us; those who join after us send one.
  let offers = true
  for (const participant of participants) {
    if (participant.participantId === own) offers = false
    addParticipant(participant, { offers })
  }
  showRoomName()
  show()
  showHistory(current).catch(showError)
}

/** Shows the messages that were written before we joined, or whose events were missed. */
async function showHistory(current) {
  const { messages } = await signalpost.get(`${pathOf(current)}/messages`)
  if (active === current) for (const message of messages) view.showMessage(message)
}

// ── Events ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const HANDLERS = {
  'room.participant_joined': ({ participant }) => {
    addParticipant(participant, { offers: false })
    showStatus(`${participant.user} has joined.`)
  },
  'room.participant_updated': ({ participant }) => {
    const isOwn = participant.participantId === active.own
    if (isOwn || active.mesh.has(participant.participantId)) view.showParticipant(participant, { isOwn })
    if (participant.away) showStatus(`${participant.user} has lost the network. Waiting…`)
    else showRoomName()
  },
  'room.participant_left': data => (data.participantId === active.own ? handleRemoval(data) : removeParticipant(data)),
  'room.mute_requested': ({ mute, by }) => {
    if (mute.includes('audio')) setMuted(true)
    showStatus(`${by.user} asks you to mute.`)
  },
  'room.closed': ({ by }) => finish(by ? `${by.user} has closed the room.` : 'The room has been closed.'),
  'chat.message': view.showMessage
}

async function onEvent({ type, data }) {
  // Events may have been missed, among them signals, which are not in the snapshot.
  if (type === 'reset') return active?.mesh && joinAgain('Events were missed')
  if (!active?.mesh || data.roomId !== active.room) return
  if (type.startsWith('signal.')) active.mesh.receive(type, data)
  else await HANDLERS[type]?.(data)
}

function addParticipant(participant, { offers }) {
  const { participantId } = participant
  if (participantId === active.own) view.showParticipant(participant, { isOwn: true, stream: active.media })
  // The reply to our join may have contained this participant already.
  else if (!active.mesh.has(participantId)) {
    view.showParticipant(participant, { stream: active.mesh.add(participantId, { offers }) })
  }
}

function removeParticipant({ participantId, user: who, reason, by }) {
  active.mesh.remove(participantId)
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
  for (const track of current.media.getAudioTracks()) track.enabled = !isMuted
  view.showMuted(isMuted)
  inOrder(async () => {
    if (active !== current) return
    const body = { metadata: { muted: isMuted } }
    const { participant } = await send(current, 'patch', `participants/${current.own}`, body)
    if (active === current) view.showParticipant(participant, { isOwn: true })
  }).catch(showError)
}

view.onRemove((participantId, who) => {
  const current = active
  inOrder(async () => {
    await send(current, 'delete', `participants/${participantId}`)
    // The acting device gets no event.
    if (active === current) removeParticipant({ participantId, user: who, reason: 'removed', by: { user } })
  }).catch(showError)
})

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
  active.mesh?.close()
  stop(active)
  active = null
  keepInLink('room', null)
  view.dropAllParticipants()
  view.showMuted(false)
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

function stop({ media }) {
  for (const track of media?.getTracks() ?? []) track.stop()
}

function pathOf({ room }) {
  return `/rooms/${encodeURIComponent(room)}`
}

async function send(current, method, path, body) {
  const reply = await signalpost[method](`${pathOf(current)}/${path}`, body)
  addLogLine('out', `${method.toUpperCase()} ${path.split('/')[0]}`, { data: body })
  return reply
}

function show() {
  const phase = active?.mesh ? 'in' : active ? 'joining' : 'out'
  view.showPhase({ isSignedIn: user !== null, phase })
}

function showRoomName() {
  showStatus(`You are in ${active.room}.`)
}
