// The visible part of a call: the two videos, and the buttons of the current phase.
import { find } from './view.js'

const TITLE = document.title
/** The element that gets the focus when a phase begins: the next step for a user with a keyboard. */
const NEXT = { idle: find('dial').to, preparing: find('hangup'), connecting: find('hangup') }

/** `phase` of the call: idle, preparing, ringing, incoming, connecting, connected. */
export function showPhase({ isSignedIn, phase, other }) {
  const before = document.body.dataset.phase
  document.body.dataset.phase = phase
  document.title = phase === 'incoming' ? `${other} is calling` : TITLE
  find('from').textContent = other ?? ''
  find('sign-in').hidden = isSignedIn
  find('stage').hidden = find('events').hidden = !isSignedIn
  find('dial').hidden = phase !== 'idle'
  find('hangup').hidden = phase === 'idle' || phase === 'incoming'
  find('hold').hidden = phase !== 'connected'
  if (phase !== 'incoming') find('incoming').close()
  else if (!find('incoming').open) find('incoming').showModal()
  if (isSignedIn && phase !== before) NEXT[phase]?.focus()
}

export function showMedia(id, stream) {
  find(id).srcObject = stream
}

export function showHold({ isHeld, isDimmed }) {
  find('hold').setAttribute('aria-pressed', isHeld)
  find('remote').classList.toggle('dimmed', isDimmed)
}
