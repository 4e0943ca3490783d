// The page of a call: who is signed in, and which call there is. signalpost.js talks to the server, peer.js to the other browser,
// the views to whoever sits here.
import { showHold, showMedia, showPhase } from './call-view.js'
import { Peer } from './peer.js'
import { askToSignIn, device, inTurn } from './sign-in.js'
import { Problem } from './signalpost.js'
import { find, note, say, tell } from './view.js'

/** Why a call ended, for people. */
const ENDINGS = {
  hangup: 'The call is over.',
  cancelled: 'The caller gave up.',
  declined: 'The call was declined.',
  declined_elsewhere: 'You declined on another device.',
  answered_elsewhere: 'You answered on another device.',
  no_answer: 'Nobody answered.',
  expired: 'The call could not be connected.',
  media_failed: 'The connection between the two of you failed.',
  lost: 'The connection was lost.'
}

/** How one leaves a call, by its phase. While it is prepared the server knows nothing of it. */
const WAY_OUT = { incoming: 'reject', ringing: 'cancel', connecting: 'hangup', connected: 'hangup' }

let signalpost
let user = null
/** The one this page is in: { callId, other, phase, offers, media, peer, isHeld, isHeldByOther }. */
let call = null

askToSignIn({
  async begin(signedIn, { calls, presence }) {
    signalpost = signedIn
    user = presence.user
    say(`You are ${user}. Whom do you want to call?`)
    show()
    for (const known of calls) await takeUp(known)
  },
  take
})

/** What this device was in before the page was loaded again. */
async function takeUp({ callId, state, caller, callee }) {
  if (state === 'ringing' && callee.user === user) return ring({ callId, from: caller })
  const isHere = [caller, callee].some(side => side.user === user && side.device === device)
  // Its media went with the old page.
  if (isHere) await send(callId, state === 'ringing' ? 'cancel' : 'hangup')
}

// ── Events ────────────────────────────────────────────────────────────────────────────────────────────────────────────

async function take({ type, data }) {
  if (type === 'reset') return startOver()
  if (type === 'call.incoming' && call === null) return ring(data)
  // The others may be about a call on another device of this user, or about one that is over.
  if (call === null || data.callId !== call.callId) return
  if (type === 'call.ringing') say(`It rings at ${call.other}.`)
  else if (type === 'call.accepted') await connect()
  else if (type.startsWith('signal.')) call.peer?.hear(type, data)
  else if (type === 'call.held' || type === 'call.resumed') sayHow({ isHeldByOther: type === 'call.held' })
  else if (type === 'call.peer_away') say(`${call.other} has lost the network. Waiting…`)
  else if (type === 'call.peer_back') sayHow()
  else if (type === 'call.ended') finish(ENDINGS[data.reason] ?? `The call has ended: ${data.reason}.`)
}

/** Events may have been missed. What is true now says whether our call still is. */
async function startOver() {
  const { calls } = await signalpost.get('/snapshot')
  if (call && !calls.some(({ callId }) => callId === call.callId)) finish(ENDINGS.lost)
}

// ── A call, from its first moment to its last ─────────────────────────────────────────────────────────────────────────

find('dial').addEventListener('submit', event => {
  event.preventDefault()
  dial(event.target.to.value.trim())
})

function dial(other) {
  // The id is chosen here, so that asking again over a bad network cannot make a second call.
  const current = { callId: crypto.randomUUID(), other, phase: 'preparing', offers: true }
  begin(current)
  say(`Calling ${other}…`)
  attempt(current, async () => {
    await takeMedia(current)
    await inTurn(() => call === current && place(current))
  })
}

async function place(current) {
  current.phase = 'ringing'
  const body = { callId: current.callId, to: current.other, media: 'video' }
  const { call: placed, resolution } = await signalpost.post('/calls', body)
  note('out', 'POST calls')
  if (call !== current || resolution !== 'merged') return
  // Both called each other in the same moment. The server has made one call of the two: theirs, which we thereby answer.
  current.callId = placed.callId
  current.offers = false
  await connect()
}

async function ring({ callId, from }) {
  begin({ callId, other: from.user, phase: 'incoming', offers: false })
  say('')
  await send(callId, 'ringing')
}

find('answer').addEventListener('click', () => {
  const current = call
  find('incoming').close()
  attempt(current, async () => {
    await takeMedia(current)
    await inTurn(() => call === current && accept(current))
  })
})

async function accept(current) {
  await send(current.callId, 'accept')
  if (call === current) await connect()
}

/** Answered. From here on the peer does the talking; who called makes the first offer. */
async function connect() {
  const current = call
  current.phase = 'connecting'
  say(`Connecting with ${current.other}…`)
  show()
  const { iceServers } = await signalpost.get('/ice-servers')
  if (call !== current) return
  current.peer = new Peer({
    iceServers,
    media: current.media,
    post: (action, body) => send(current.callId, action, body),
    onConnected: () => current.phase === 'connecting' && connected(current),
    onError: error => call === current && tell(error)
  })
  showMedia('remote', current.peer.received)
  if (current.offers) current.peer.begin()
}

function connected(current) {
  current.phase = 'connected'
  show()
  sayHow()
  send(current.callId, 'connected').catch(tell)
}

find('hold').addEventListener('click', () => {
  const isHeld = !call.isHeld
  call.peer.hold(isHeld)
  sayHow({ isHeld })
  send(call.callId, isHeld ? 'hold' : 'resume').catch(tell)
})

for (const id of ['hangup', 'decline']) find(id).addEventListener('click', () => leave(ENDINGS.hangup))
find('incoming').addEventListener('cancel', () => leave(ENDINGS.hangup))

/** Here it is over at once; the server learns it when the network allows. */
function leave(why) {
  const { callId, phase } = call
  finish(why)
  if (phase in WAY_OUT) send(callId, WAY_OUT[phase]).catch(error => note('error', error.message))
}

function begin(current) {
  call = current
  show()
}

function finish(why) {
  call.peer?.close()
  for (const track of call.media?.getTracks() ?? []) track.stop()
  for (const id of ['local', 'remote']) showMedia(id, null)
  call = null
  say(why)
  show()
}

/** What fails on the way ends this call, and no other. */
async function attempt(current, step) {
  try {
    await step()
  } catch (error) {
    note('error', error.message)
    if (call !== current) return
    // What the server has refused need not be taken back.
    if (error instanceof Problem) finish(error.message)
    else leave(error.message)
  }
}

async function takeMedia(current) {
  current.media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true })
  if (call === current) return showMedia('local', current.media)
  for (const track of current.media.getTracks()) track.stop()
}

async function send(callId, action, body) {
  const reply = await signalpost.post(`/calls/${callId}/${action}`, body)
  note('out', `POST ${action}`, { data: body })
  return reply
}

function show() {
  showPhase({ isSignedIn: user !== null, phase: call?.phase ?? 'idle', other: call?.other })
}

/** How things stand in a connected call. */
function sayHow(change = {}) {
  Object.assign(call, change)
  const { other, isHeld = false, isHeldByOther = false } = call
  showHold({ isHeld, isDimmed: isHeld || isHeldByOther })
  if (isHeld) say(`You have put ${other} on hold.`)
  else if (isHeldByOther) say(`${other} has put you on hold.`)
  else say(`You are talking with ${other}.`)
}
