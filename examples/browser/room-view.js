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
  for (const id of ['mute', 'screen', 'mode', 'chat', 'paths']) find(id).hidden = phase !== 'in'
  if (isSignedIn && phase !== before) NEXT[phase].focus()
}

const tileOf = (participantId, picture = 'camera') =>
  document.querySelector(`[data-participant="${participantId}"][data-picture="${picture}"]`)

/** Adds or updates the tile of a participant. */
export function showParticipant(participant, { isOwn }) {
  const { participantId, user, role } = participant
  const tile = tileOf(participantId) ?? addTile(participantId)
  tile.dataset.user = user
  tile.classList.toggle('own', isOwn)
  tile.classList.toggle('away', participant.away)
  const video = tile.querySelector('video')
  // Users must not hear themselves.
  video.muted = isOwn
  video.setAttribute('aria-label', isOwn ? 'You' : user)
  tile.querySelector('b').textContent = user
  tile.querySelector('span').textContent = stateOf(participant, isOwn)
  label(tile, user)
  if (isOwn) document.body.dataset.role = role
}

function addTile(participant, picture = 'camera') {
  const { firstElementChild: tile } = find('tile').content.cloneNode(true)
  Object.assign(tile.dataset, { participant, picture })
  find('tiles').append(tile)
  if (picture === 'screen') label(tile, tileOf(participant).dataset.user)
  return tile
}

function label(tile, user) {
  const labels = { mute: `Mute ${user}`, stop: `Stop the ${tile.dataset.picture} of ${user}`, remove: `Remove ${user}` }
  for (const button of tile.querySelectorAll('button')) button.setAttribute('aria-label', labels[button.dataset.action])
}

/** `picture`: camera or screen. A screen has a tile of its own. Null: it has ended. Returns the element. */
export function showStream(participantId, picture, stream) {
  const camera = tileOf(participantId)
  if (picture === 'screen' && stream === null) return void tileOf(participantId, picture)?.remove()
  const tile = tileOf(participantId, picture) ?? (camera && addTile(participantId, picture))
  if (!tile) return
  const video = tile.querySelector('video')
  video.srcObject = stream
  if (picture === 'screen') tile.querySelector('b').textContent = `Screen of ${camera.dataset.user}`
  return video
}

// A click on a picture enlarges it.
find('tiles').addEventListener('click', ({ target }) => {
  if (target.matches('video')) target.closest('.tile').classList.toggle('large')
})

export function showSpeaker(participantId) {
  for (const tile of find('tiles').children) tile.classList.toggle('speaks', tile.dataset.participant === participantId)
}

export function showMode(mode) {
  document.body.dataset.mode = mode
  showPressed('mode', mode === 'sfu')
  // Screens are sent through the media service only.
  find('screen').disabled = mode !== 'sfu'
}

function stateOf({ role, away, metadata }, isOwn) {
  const parts = [isOwn && 'you', role === 'host' && 'host', away && 'away', metadata.muted && 'muted']
  return parts.filter(Boolean).join(', ')
}

export function dropParticipant(participantId) {
  for (const picture of ['camera', 'screen']) tileOf(participantId, picture)?.remove()
}

export function dropAllParticipants() {
  find('tiles').replaceChildren()
}

/** `moderate(action, { participant, picture, user })` is called when a button on a tile is pressed: mute, stop or remove. */
export function onModerate(moderate) {
  find('tiles').addEventListener('click', ({ target }) => {
    if (target.matches('.tile button')) moderate(target.dataset.action, { ...target.closest('.tile').dataset })
  })
}

/** Of a button that is on or off. */
export const isPressed = id => find(id).getAttribute('aria-pressed') === 'true'

export function showPressed(id, isOn) {
  find(id).setAttribute('aria-pressed', isOn)
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
