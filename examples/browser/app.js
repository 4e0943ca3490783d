// The page of a call: who is signed in, and the call of this page. The SDK connects to the server and to the other browser; view.js and
// call-view.js show the state to the user.
import { showHold, showMedia, showPhase } from './call-view.js'
import { askToSignIn } from './sign-in.js'
import { addLogLine, find, showError, showStatus } from './view.js'

/** Why a call ended, as shown to the user. */
const ENDINGS = {
  hangup: 'The call is over.',
  cancelled: 'The caller gave up.',
  declined: 'The call was declined.',
  declined_elsewhere: 'You declined on another device.',
  answered_elsewhere: 'You answered on another device.',
  no_answer: 'No answer.',
  expired: 'The call could not be connected.',
  media_failed: 'The connection between the two of you failed.',
  lost: 'The connection was lost.'
}

let client
/** What this page does: { other, phase, media, call, abort }. `call` is the Call of the SDK; null until the server has it. */
let active = null

askToSignIn({
  listen(signedIn) {
    client = signedIn
    // Only one at a time; others ring until they end.
    client.on('incoming', call => active === null && showIncoming(call))
  },
  onSignedIn() {
    if (active === null) showStatus(`You are ${client.user}. Whom do you want to call?`)
    show()
  }
})

// ── A call, from its first moment to its last ─────────────────────────────────────────────────────────────────────────

find('dial').addEventListener('submit', event => {
  event.preventDefault()
  startCall(event.target.to.value.trim())
})

function startCall(other) {
  const current = { other, phase: 'preparing', call: null, abort: new AbortController() }
  begin(current)
  showStatus(`Calling ${other}…`)
  attempt(current, async () => {
    const media = await takeMedia(current)
    if (active !== current) return
    const call = await client.call(other, { media, signal: current.abort.signal })
    if (active === current) follow(current, call)
  })
}

function showIncoming(call) {
  const current = { other: call.peer.user, phase: 'incoming', call, abort: new AbortController() }
  begin(current)
  showStatus('')
  follow(current, call)
}

find('answer').addEventListener('click', () => {
  const current = active
  find('incoming').close()
  attempt(current, async () => {
    const media = await takeMedia(current)
    if (active === current) await current.call.accept({ media })
  })
})

/** Shows what happens in the call. */
function follow(current, call) {
  current.call = call
  call.on('ringing', () => showStatus(`It rings at ${current.other}.`))
  call.on('accepted', showState)
  call.on('connected', showState)
  call.on('held', showState)
  call.on('peer_away', () => showStatus(`${current.other} has lost the network. Waiting…`))
  call.on('peer_back', showState)
  call.on('error', showError)
  // `merged`: the two users have called each other, and the other call goes on.
  call.on('ended', ({ reason }) => {
    if (active === current && reason !== 'merged') finish(ENDINGS[reason] ?? `The call has ended: ${reason}.`)
  })
  showState()
}

function showState() {
  const { call, other, phase } = active
  if (call.state === 'ended') return
  if (call.state === 'ringing') active.phase = phase === 'incoming' ? phase : 'ringing'
  else active.phase = call.state
  show()
  if (call.state !== 'ringing') showMedia('remote', call.remoteStream)
  if (call.state === 'connecting') showStatus(`Connecting with ${other}…`)
  if (call.state === 'connected') showConnected(call, other)
}

/** Who has put the connected call on hold, if anyone. */
function showConnected({ held }, other) {
  showHold({ isHeld: held.local, isDimmed: held.local || held.remote })
  if (held.local) showStatus(`You have put ${other} on hold.`)
  else if (held.remote) showStatus(`${other} has put you on hold.`)
  else showStatus(`You are talking with ${other}.`)
}

find('hold').addEventListener('click', () => active.call.hold(!active.call.held.local).catch(showError))

for (const id of ['hangup', 'decline']) find(id).addEventListener('click', () => end(ENDINGS.hangup))
find('incoming').addEventListener('cancel', () => end(ENDINGS.hangup))

/** Ends the call on this page at once, even if the request cannot be sent yet. */
function end(why) {
  const { call, abort } = active
  finish(why)
  abort.abort()
  call?.hangup().catch(error => addLogLine('error', error.message))
}

function begin(current) {
  active = current
  show()
}

function finish(why) {
  for (const track of active.media?.getTracks() ?? []) track.stop()
  for (const id of ['local', 'remote']) showMedia(id, null)
  active = null
  showStatus(why)
  show()
}

/** Runs a step. An error ends this call, but not one that has replaced it. */
async function attempt(current, step) {
  try {
    await step()
  } catch (error) {
    addLogLine('error', error.message)
    if (active === current) end(error.message)
  }
}

async function takeMedia(current) {
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true })
  current.media = media
  if (active === current) showMedia('local', media)
  else for (const track of media.getTracks()) track.stop()
  return media
}

function show() {
  showPhase({ isSignedIn: client?.user != null, phase: active?.phase ?? 'idle', other: active?.other })
}
