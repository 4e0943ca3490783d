// The page of a room: who is signed in, and which room they are in. signalpost.js talks to the server, mesh.js to the other
// browsers, the views to whoever sits here.
import { Mesh } from './mesh.js'
import * as view from './room-view.js'
import { askToSignIn, inTurn, keepInLink, link, takeTurns } from './sign-in.js'
import { find, note, say, tell } from './view.js'

/** Each video is sent as often as there are others, so it is a small one. */
const MEDIA = { audio: true, video: { width: 320, height: 240, frameRate: 15 } }

/** Why somebody is in no more. */
const DEPARTURES = {
  left: who => `${who} has left.`,
  removed: (who, by) => `${by.user} has put ${who} out.`,
  lost: who => `${who} was away for too long.`,
  replaced: who => `${who} comes in anew.`
}

let signalpost
let user = null
/** The one this page is in, or about to be: { room, isMuted, media, own, mesh }. `own` is our participant id. */
let here = null

askToSignIn({
  begin(signedIn, { presence }) {
    signalpost = signedIn
    user = presence.user
    say(`You are ${user}. Which room do you want to join?`)
    show()
    // From a link; and a page that is loaded again is back where it was.
    const room = link.get('room')
    if (room) enter(room)
  },
  take
})

// ── Going in ──────────────────────────────────────────────────────────────────────────────────────────────────────────

find('join').addEventListener('submit', event => {
  event.preventDefault()
  enter(event.target.room.value.trim())
})

function enter(room) {
  const current = { room, isMuted: false }
  here = current
  keepInLink('room', room)
  view.dropMessages()
  say(`Joining ${room}…`)
  show()
  attempt(current, async () => {
    await takeMedia(current)
    await inTurn(() => here === current && join(current))
  })
}

async function takeMedia(current) {
  current.media = await navigator.mediaDevices.getUserMedia(MEDIA)
  if (here !== current) stop(current)
}

/** Takes part anew: of what this tab was in the room before, nothing is left, or nothing can be relied on. */
async function join(current) {
  current.mesh?.close()
  const { iceServers } = await signalpost.get('/ice-servers')
  const body = { replace: true, metadata: { muted: current.isMuted } }
  const { participantId: own, participants } = await send(current, 'post', 'participants', body)
  // Left by the button while the server was at it.
  if (here !== current) return send(current, 'delete', `participants/${own}`)
  const post = (action, signal) => send(current, 'post', action, signal)
  const onError = error => here === current && tell(error)
  Object.assign(current, { own, mesh: new Mesh({ own, iceServers, media: current.media, post, onError }) })
  view.dropEverybody()
  // They stand in the order they came in. Who was before us gets an offer; who comes after us makes one.
  let offers = true
  for (const participant of participants) {
    if (participant.participantId === own) offers = false
    meet(participant, { offers })
  }
  sayWhere()
  show()
  readBack(current).catch(tell)
}

/** What was written before we came, or while we could not hear it. */
async function readBack(current) {
  const { messages } = await signalpost.get(`${pathOf(current)}/messages`)
  if (here === current) for (const message of messages) view.showMessage(message)
}

// ── Events ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const NEWS = {
  'room.participant_joined': ({ participant }) => {
    meet(participant, { offers: false })
    say(`${participant.user} is in.`)
  },
  'room.participant_updated': ({ participant }) => {
    const isOwn = participant.participantId === here.own
    if (isOwn || here.mesh.knows(participant.participantId)) view.showParticipant(participant, { isOwn })
    if (participant.away) say(`${participant.user} has lost the network. Waiting…`)
    else sayWhere()
  },
  'room.participant_left': data => (data.participantId === here.own ? beOut(data) : part(data)),
  'room.mute_requested': ({ mute, by }) => {
    if (mute.includes('audio')) setMuted(true)
    say(`${by.user} asks you to mute.`)
  },
  'room.closed': ({ by }) => finish(by ? `${by.user} has closed the room.` : 'The room has been closed.'),
  'chat.message': view.showMessage
}

async function take({ type, data }) {
  // Events may have been missed, and signals that nobody will repeat.
  if (type === 'reset') return here?.mesh && comeBack('Something was missed')
  if (!here?.mesh || data.roomId !== here.room) return
  if (type.startsWith('signal.')) here.mesh.hear(type, data)
  else await NEWS[type]?.(data)
}

function meet(participant, { offers }) {
  const { participantId } = participant
  if (participantId === here.own) view.showParticipant(participant, { isOwn: true, stream: here.media })
  // The reply to our joining may have had them already.
  else if (!here.mesh.knows(participantId)) {
    view.showParticipant(participant, { stream: here.mesh.meet(participantId, { offers }) })
  }
}

function part({ participantId, user: who, reason, by }) {
  here.mesh.part(participantId)
  view.dropParticipant(participantId)
  say(DEPARTURES[reason](who, by))
}

/** It is we who are in no more. */
function beOut({ reason, by }) {
  if (reason === 'lost') return comeBack('You were away for too long')
  finish(DEPARTURES[reason]('you', by))
}

function comeBack(why) {
  const current = here
  say(`${why}. Joining ${current.room} again…`)
  return attempt(current, () => join(current))
}

// ── What one does in a room ───────────────────────────────────────────────────────────────────────────────────────────

const inOrder = takeTurns()

find('write').addEventListener('submit', event => {
  event.preventDefault()
  const current = here
  // The id is chosen here, so that asking again over a bad network cannot write it twice.
  const body = { messageId: crypto.randomUUID(), content: event.target.content.value }
  event.target.reset()
  inOrder(async () => {
    const { message } = await send(current, 'post', 'messages', body)
    if (here === current) view.showMessage(message)
  }).catch(tell)
})

find('mute').addEventListener('click', () => setMuted(!here.isMuted))

/** Each of us sees to it that they are not heard, and tells the others. */
function setMuted(isMuted) {
  const current = here
  current.isMuted = isMuted
  for (const track of current.media.getAudioTracks()) track.enabled = !isMuted
  view.showMuted(isMuted)
  inTurn(async () => {
    if (here !== current) return
    const body = { metadata: { muted: isMuted } }
    const { participant } = await send(current, 'patch', `participants/${current.own}`, body)
    if (here === current) view.showParticipant(participant, { isOwn: true })
  }).catch(tell)
}

view.onRemove((participantId, who) => {
  const current = here
  inTurn(async () => {
    await send(current, 'delete', `participants/${participantId}`)
    // Who acts gets no event.
    if (here === current) part({ participantId, user: who, reason: 'removed', by: { user } })
  }).catch(tell)
})

// ── Going out ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Here it is over at once; the server learns it when the network allows. */
find('leave').addEventListener('click', () => {
  const current = here
  finish(`You have left ${current.room}.`)
  if (current.own) send(current, 'delete', `participants/${current.own}`).catch(error => note('error', error.message))
})

// Otherwise the others would look at a picture that stands still until the server has waited long enough.
addEventListener('pagehide', () => {
  if (here?.own) signalpost.deleteOnTheWayOut(`${pathOf(here)}/participants/${here.own}`)
})

// Back from where browsers keep pages that may be looked at again: what this one knows is out of date.
addEventListener('pageshow', event => event.persisted && location.reload())

function finish(why) {
  here.mesh?.close()
  stop(here)
  here = null
  keepInLink('room', null)
  view.dropEverybody()
  view.showMuted(false)
  say(why)
  show()
}

/** What fails on the way into a room ends it, and no other. */
async function attempt(current, step) {
  try {
    await step()
  } catch (error) {
    note('error', error.message)
    if (here === current) finish(error.message)
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
  note('out', `${method.toUpperCase()} ${path.split('/')[0]}`, { data: body })
  return reply
}

function show() {
  const phase = here?.mesh ? 'in' : here ? 'joining' : 'out'
  view.showPhase({ isSignedIn: user !== null, phase })
}

function sayWhere() {
  say(`You are in ${here.room}.`)
}
