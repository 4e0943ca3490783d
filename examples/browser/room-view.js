// The visible part of a room: a tile for each participant, the chat, and the buttons of the current phase.
import { find } from './view.js'

/** The element that gets the focus when a phase begins: the next step for a user with a keyboard. */
const NEXT = { out: find('join').room, joining: find('leave'), in: find('write').content }

/** `phase`: out, joining, in. */
export function showPhase({ isSignedIn, phase }) {
  const before = document.body.dataset.phase
  document.body.dataset.phase = phase
  find('sign-in').hidden = isSignedIn
  find('stage').hidden = find('side').hidden = !isSignedIn
  find('join').hidden = phase !== 'out'
  find('leave').hidden = phase === 'out'
  find('mute').hidden = find('chat').hidden = phase !== 'in'
  if (isSignedIn && phase !== before) NEXT[phase].focus()
}

const tileOf = participantId => document.querySelector(`[data-participant="${participantId}"]`)

/** Adds or updates the tile of a participant. `stream` is given only if it is new. */
export function showParticipant(participant, { isOwn = false, stream } = {}) {
  const { participantId, user, role } = participant
  const tile = tileOf(participantId) ?? addTile(participantId)
  tile.dataset.user = user
  tile.classList.toggle('own', isOwn)
  tile.classList.toggle('away', participant.away)
  const video = tile.querySelector('video')
  // Users must not hear themselves.
  video.muted = isOwn
  video.setAttribute('aria-label', isOwn ? 'You' : user)
  if (stream) video.srcObject = stream
  tile.querySelector('b').textContent = user
  tile.querySelector('span').textContent = stateOf(participant, isOwn)
  tile.querySelector('button').setAttribute('aria-label', `Remove ${user}`)
  if (isOwn) document.body.dataset.role = role
}

function addTile(participantId) {
  const { firstElementChild: tile } = find('tile').content.cloneNode(true)
  tile.dataset.participant = participantId
  find('tiles').append(tile)
  return tile
}

function stateOf({ role, away, metadata }, isOwn) {
  const parts = [isOwn && 'you', role === 'host' && 'host', away && 'away', metadata.muted && 'muted']
  return parts.filter(Boolean).join(', ')
}

export function dropParticipant(participantId) {
  tileOf(participantId)?.remove()
}

export function dropAllParticipants() {
  find('tiles').replaceChildren()
}

/** `remove(participantId, user)` is called when the button on a tile is pressed. */
export function onRemove(remove) {
  find('tiles').addEventListener('click', ({ target }) => {
    if (!target.matches('.tile button')) return
    const { participant, user } = target.closest('.tile').dataset
    remove(participant, user)
  })
}

export function showMuted(isMuted) {
  find('mute').setAttribute('aria-pressed', isMuted)
}

/** Adds a message. It may come from an event, a reply or the history; each is shown once, in the order of the room. */
export function showMessage({ messageId, version, from, content }) {
  const list = find('messages')
  const lines = [...list.children]
  if (lines.some(({ dataset }) => dataset.id === messageId)) return
  const line = document.createElement('li')
  Object.assign(line.dataset, { id: messageId, version })
  line.append(Object.assign(document.createElement('b'), { textContent: from.user }), `: ${content}`)
  list.insertBefore(line, lines.find(({ dataset }) => Number(dataset.version) > version) ?? null)
  list.scrollTop = list.scrollHeight
}

export function dropMessages() {
  find('messages').replaceChildren()
}
