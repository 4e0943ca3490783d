// The page of a call: who is signed in, and the call of this page. signalpost.js connects to the server, peer.js to the other browser;
// view.js and call-view.js show the state to the user.
import { showHold, showMedia, showPhase } from './call-view.js'
import { Peer } from './peer.js'
import { askToSignIn, device, inOrder } from './sign-in.js'
import { Problem } from './signalpost.js'
import { addLogLine, find, showError, showStatus } from './view.js'

/** Why a call ended, as shown to the user. */
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

/** The request that ends a call, by its phase. A call that is still prepared does not exist on the server. */
const END_REQUEST = { incoming: 'reject', ringing: 'cancel', connecting: 'hangup', connected: 'hangup' }

let signalpost
let user = null
/** The call of this page: { callId, other, phase, offers, media, peer, isHeld, isHeldByOther }. */
let call = null

askToSignIn({
  async onSignedIn(signedIn, { calls, presence }) {
    signalpost = signedIn
    user = presence.user
    showStatus(`You are ${user}. Whom do you want to call?`)
    show()
    for (const known of calls) await resumeCall(known)
  },
  onEvent
})

/** Handles a call that this device was in before the page was reloaded. */
async function resumeCall({ callId, state, caller, callee }) {
  if (state === 'ringing' && callee.user === user) return showIncoming({ callId, from: caller })
  const isHere = [caller, callee].some(side => side.user === user && side.device === device)
  // Its media ended with the old page, so the call is ended.
  if (isHere) await send(callId, state === 'ringing' ? 'cancel' : 'hangup')
}

// ── Events ────────────────────────────────────────────────────────────────────────────────────────────────────────────

async function onEvent({ type, data }) {
  if (type === 'reset') return checkCall()
  if (type === 'call.incoming' && call === null) return showIncoming(data)
  // Other events may be about a call on another device of this user, or about a call that has ended.
  if (call === null || data.callId !== call.callId) return
  if (type === 'call.ringing') showStatus(`It rings at ${call.other}.`)
  else if (type === 'call.accepted') await connect()
  else if (type.startsWith('signal.')) call.peer?.receive(type, data)
  else if (type === 'call.held' || type === 'call.resumed') showCallState({ isHeldByOther: type === 'call.held' })
  else if (type === 'call.peer_away') showStatus(`${call.other} has lost the network. Waiting…`)
  else if (type === 'call.peer_back') showCallState()
  else if (type === 'call.ended') finish(ENDINGS[data.reason] ?? `The call has ended: ${data.reason}.`)
}

/** Events may have been missed. The snapshot shows whether our call still exists. */
async function checkCall() {
  const { calls } = await signalpost.get('/snapshot')
  if (call && !calls.some(({ callId }) => callId === call.callId)) finish(ENDINGS.lost)
}

// ── A call, from its first moment to its last ─────────────────────────────────────────────────────────────────────────

find('dial').addEventListener('submit', event => {
  event.preventDefault()
  startCall(event.target.to.value.trim())
})

function startCall(other) {
  // The id is chosen here, so that a repeated request cannot make a second call.
  const current = { callId: crypto.randomUUID(), other, phase: 'preparing', offers: true }
  setCall(current)
  showStatus(`Calling ${other}…`)
  attempt(current, async () => {
    await takeMedia(current)
    await inOrder(() => call === current && createCall(current))
  })
}

async function createCall(current) {
  current.phase = 'ringing'
  const body = { callId: current.callId, to: current.other, media: 'video' }
  const { call: created, resolution } = await signalpost.post('/calls', body)
  addLogLine('out', 'POST calls')
  if (call !== current || resolution !== 'merged') return
  // Both users called each other at the same time. The server has merged our call into theirs, which is thereby accepted.
  current.callId = created.callId
  current.offers = false
  await connect()
}

async function showIncoming({ callId, from }) {
  setCall({ callId, other: from.user, phase: 'incoming', offers: false })
  showStatus('')
  await send(callId, 'ringing')
}

find('answer').addEventListener('click', () => {
  const current = call
  find('incoming').close()
  attempt(current, async () => {
    await takeMedia(current)
    await inOrder(() => call === current && accept(current))
  })
})

async function accept(current) {
  await send(current.callId, 'accept')
  if (call === current) await connect()
}

/** The call was answered. From here on the peer sends the signals; the caller makes the first offer. */
async function connect() {
  const current = call
  current.phase = 'connecting'
  showStatus(`Connecting with ${current.other}…`)
  show()
  const { iceServers } = await signalpost.get('/ice-servers')
  if (call !== current) return
  current.peer = new Peer({
    iceServers,
    media: current.media,
    post: (action, body) => send(current.callId, action, body),
    onConnected: () => current.phase === 'connecting' && connected(current),
    onError: error => call === current && showError(error)
  })
  showMedia('remote', current.peer.received)
  if (current.offers) current.peer.addMedia()
}

function connected(current) {
  current.phase = 'connected'
  show()
  showCallState()
  send(current.callId, 'connected').catch(showError)
}

find('hold').addEventListener('click', () => {
  const isHeld = !call.isHeld
  call.peer.hold(isHeld)
  showCallState({ isHeld })
  send(call.callId, isHeld ? 'hold' : 'resume').catch(showError)
})

for (const id of ['hangup', 'decline']) find(id).addEventListener('click', () => endCall(ENDINGS.hangup))
find('incoming').addEventListener('cancel', () => endCall(ENDINGS.hangup))

/** Ends the call on this page at once, even if the request cannot be sent yet. */
function endCall(why) {
  const { callId, phase } = call
  finish(why)
  if (phase in END_REQUEST) send(callId, END_REQUEST[phase]).catch(error => addLogLine('error', error.message))
}

function setCall(current) {
  call = current
  show()
}

function finish(why) {
  call.peer?.close()
  for (const track of call.media?.getTracks() ?? []) track.stop()
  for (const id of ['local', 'remote']) showMedia(id, null)
  call = null
  showStatus(why)
  show()
}

/** Runs a step. An error ends this call, but not one that has replaced it. */
async function attempt(current, step) {
  try {
    await step()
  } catch (error) {
    addLogLine('error', error.message)
    if (call !== current) return
    // The server has refused the call, so there is none to end.
    if (error instanceof Problem) finish(error.message)
    else endCall(error.message)
  }
}

async function takeMedia(current) {
  current.media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true })
  if (call === current) return showMedia('local', current.media)
  for (const track of current.media.getTracks()) track.stop()
}

async function send(callId, action, body) {
  const reply = await signalpost.post(`/calls/${encodeURIComponent(callId)}/${action}`, body)
  addLogLine('out', `POST ${action}`, { data: body })
  return reply
}

function show() {
  showPhase({ isSignedIn: user !== null, phase: call?.phase ?? 'idle', other: call?.other })
}

/** Shows who has put the connected call on hold, if anyone. */
function showCallState(change = {}) {
  Object.assign(call, change)
  const { other, isHeld = false, isHeldByOther = false } = call
  showHold({ isHeld, isDimmed: isHeld || isHeldByOther })
  if (isHeld) showStatus(`You have put ${other} on hold.`)
  else if (isHeldByOther) showStatus(`${other} has put you on hold.`)
  else showStatus(`You are talking with ${other}.`)
}
