// The page of a room: who is signed in, and the room of this page. The SDK connects to the server, and to the other browsers or the media
// service; view.js and room-view.js show the state to the user.
import { connections } from './connect.js'
import { showMediaTable } from './media-table.js'
import { reportMedia } from './room-report.js'
import * as view from './room-view.js'
import { askToSignIn, keepInLink, link } from './sign-in.js'
import { addLogLine, find, showError, showStatus } from './view.js'

/** Pictures are sent once to each other participant in mode p2p, so they are small. */
const CAMERA = { audio: true, video: { width: 640, height: 360, frameRate: 15 } }

/** What the user reads when a participant has left, by the reason. */
const DEPARTURES = {
  left: who => `${who} has left.`,
  removed: (who, by) => `${by ?? 'You'} removed ${who}.`,
  lost: who => `${who} was away for too long.`,
  replaced: who => `${who} has joined again.`
}

let client
/** The room that this page is in or joins: { name, isMuted, camera, room, tracks, screen, paused }. `room` is the Room of the SDK. */
let active = null

askToSignIn({
  listen(signedIn) {
    client = signedIn
  },
  onSignedIn() {
    showStatus(`You are ${client.user}. Which room do you want to join?`)
    show()
    // The room of the link, or the room that the page was in before it was reloaded.
    const name = link.get('room')
    if (name) enter(name)
  }
})

// ── Joining ───────────────────────────────────────────────────────────────────────────────────────────────────────────

find('join').addEventListener('submit', event => {
  event.preventDefault()
  enter(event.target.room.value.trim())
})

async function enter(name) {
  const current = { name, isMuted: false, room: null, screen: [], tracks: new Map(), paused: new Set() }
  active = current
  keepInLink('room', name)
  view.dropMessages()
  showStatus(`Joining ${name}…`)
  show()
  try {
    current.camera = await navigator.mediaDevices.getUserMedia(CAMERA)
    if (active !== current) return stop(current)
    const room = await client.join(name, { media: current.camera, metadata: { muted: false } })
    if (active !== current) return await room.leave()
    follow(current, room)
  } catch (error) {
    addLogLine('error', error.message)
    if (active === current) finish(error.message)
  }
}

function follow(current, room) {
  current.room = room
  for (const [type, listener] of Object.entries(LISTENERS)) room.on(type, data => listener(data, current))
  for (const participant of room.participants.values()) showParticipant(participant)
  view.showPressed('screen', false)
  view.showMode(room.mode)
  showRoomName()
  show()
  showHistory(current).catch(showError)
}

/** Shows the messages that were written before we joined, or whose events were missed. */
async function showHistory({ room }) {
  const { messages } = await room.history()
  if (active?.room === room) for (const message of messages) view.showMessage(message)
}

// ── What happens ──────────────────────────────────────────────────────────────────────────────────────────────────────

const LISTENERS = {
  participant_joined(participant) {
    showParticipant(participant)
    showStatus(`${participant.user} has joined.`)
  },
  participant_updated(participant) {
    showParticipant(participant)
    if (participant.away) showStatus(`${participant.user} has lost the network. Waiting…`)
    else showRoomName()
  },
  participant_left({ participant, reason, by }) {
    view.dropParticipant(participant.participantId)
    showStatus(DEPARTURES[reason](participant.user, by && `${by.user} has`))
  },
  track(received, { tracks }) {
    const { participant, source, track } = received
    tracks.set(`${participant.participantId} ${source} ${track.kind}`, received)
    const video = view.showStream(participant.participantId, pictureOf(received), received.stream)
    if (video) received.attach(video)
  },
  track_ended({ participant, source, track }, { tracks }) {
    tracks.delete(`${participant.participantId} ${source} ${track.kind}`)
    if (source === 'screen' && track.kind === 'video') view.showStream(participant.participantId, 'screen', null)
  },
  paused: ({ producerId }, { paused }) => paused.add(producerId),
  resumed: ({ producerId }, { paused }) => paused.delete(producerId),
  moderated({ publication: { source }, what, by }, current) {
    if (source === 'screen') endScreen(current)
    if (source === 'audio' && what === 'paused') setMuted(true)
    showStatus(what === 'paused' ? `${by.user} has muted you.` : `${by.user} has stopped your ${source}.`)
  },
  mute_requested({ mute, by }) {
    if (mute.includes('audio')) setMuted(true)
    showStatus(`${by.user} asks you to mute.`)
  },
  updated({ mode }) {
    if (document.body.dataset.mode === mode) return
    view.showMode(mode)
    showStatus(mode === 'sfu' ? 'Media flows through the media service.' : 'Media flows directly.')
  },
  message: message => view.showMessage(message),
  active_speaker: ({ participantId }) => view.showSpeaker(participantId),
  unavailable: ({ detail }) => showStatus(detail),
  rejoined(_, current) {
    view.dropAllParticipants()
    for (const participant of current.room.participants.values()) showParticipant(participant)
    for (const received of current.tracks.values()) LISTENERS.track(received, current)
    showRoomName()
    showHistory(current).catch(showError)
  },
  closed({ reason, by }, current) {
    if (active !== current) return
    if (reason === 'removed') finish(`${by.user} has removed you.`)
    else if (reason === 'closed') finish(by ? `${by.user} has closed the room.` : 'The room has been closed.')
    else finish(`You are no longer in ${current.name}.`)
  },
  error: showError
}

const pictureOf = ({ source }) => (source === 'screen' ? 'screen' : 'camera')

function showParticipant(participant) {
  const { participantId } = participant
  const isOwn = participantId === active.room.participantId
  view.showParticipant(participant, { isOwn })
  if (isOwn) view.showStream(participantId, 'camera', active.camera)
}

// ── Actions of the user ───────────────────────────────────────────────────────────────────────────────────────────────

/** Messages are sent one after the other, so that they keep their order. */
let sending = Promise.resolve()

find('write').addEventListener('submit', event => {
  event.preventDefault()
  const { room } = active
  const text = event.target.content.value
  event.target.reset()
  sending = sending
    .then(async () => {
      const message = await room.chat(text)
      if (active?.room === room) view.showMessage(message)
    })
    .catch(showError)
})

find('mute').addEventListener('click', () => setMuted(!active.isMuted))

/** Muting happens in this browser; the metadata shows it to the others. */
function setMuted(isMuted) {
  active.isMuted = isMuted
  for (const track of active.camera.getAudioTracks()) track.enabled = !isMuted
  // Only we can resume what a moderator has paused.
  for (const publication of active.room.publications) {
    if (!isMuted && publication.source === 'audio' && publication.isPaused) publication.resume().catch(showError)
  }
  view.showPressed('mute', isMuted)
  active.room.updateParticipant({ metadata: { muted: isMuted } }).catch(showError)
}

/** What a moderator does with a participant, or with what it sends. */
const MODERATION = {
  mute: ({ participant }) => moderate(participant, 'audio', 'paused'),
  stop: ({ participant, picture }) => moderate(participant, picture === 'screen' ? 'screen' : 'video', 'closed'),
  remove: ({ participant }) => active.room.remove(participant)
}

async function moderate(participantId, source, what) {
  for (const received of active.tracks.values()) {
    if (received.participant.participantId !== participantId || received.source !== source) continue
    await active.room.moderate(received, what)
  }
}

view.onModerate((action, tile) => MODERATION[action](tile).catch(showError))

find('screen').addEventListener('click', async () => {
  const current = active
  if (view.isPressed('screen')) return endScreen(current)
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 5 }, audio: true })
    const tracks = stream.getTracks()
    if (active !== current) return stopTracks(tracks)
    view.showPressed('screen', true)
    for (const track of tracks) {
      track.onended = () => endScreen(current)
      current.screen.push(await current.room.publish(track, { source: 'screen' }))
    }
  } catch (error) {
    showError(error)
  }
})

function endScreen(current) {
  const publications = current.screen.splice(0)
  if (active === current) view.showPressed('screen', false)
  stopTracks(publications.map(({ track }) => track))
  for (const publication of publications) publication.close().catch(showError)
}

find('mode').addEventListener('click', () => {
  const { room } = active
  room.setMode(room.mode === 'sfu' ? 'p2p' : 'sfu').catch(showError)
})

/** Statistics change all the time. */
setInterval(async () => {
  if (!active?.room) return
  const { room } = active
  const rows = await reportMedia(connections, room, active)
  if (active?.room === room) {
    showMediaTable(rows, { mode: room.mode, nameOf: id => room.participants.get(id)?.user })
  }
}, 1000)

// ── Leaving ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Leaves on this page at once, even if the request cannot be sent yet. */
find('leave').addEventListener('click', () => {
  const { room, name } = active
  finish(`You have left ${name}.`)
  room?.leave().catch(error => addLogLine('error', error.message))
})

// The page is shown again from the back/forward cache of the browser: it has left its room.
addEventListener('pageshow', event => event.persisted && location.reload())

function finish(why) {
  stop(active)
  active = null
  keepInLink('room', null)
  view.dropAllParticipants()
  view.showPressed('mute', false)
  view.showPressed('screen', false)
  showStatus(why)
  show()
}

function stop({ camera, screen }) {
  stopTracks([...(camera?.getTracks() ?? []), ...screen.map(({ track }) => track)])
}

function stopTracks(tracks) {
  for (const track of tracks) track.stop()
}

function show() {
  const phase = active?.room ? 'in' : active ? 'joining' : 'out'
  view.showPhase({ isSignedIn: client?.user != null, phase })
}

function showRoomName() {
  showStatus(`You are in ${active.name}.`)
}
