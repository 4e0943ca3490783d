// What is to be seen: one status line, the two videos, the buttons that make sense now, and all that goes over the wire.

export const find = id => document.getElementById(id)

const TITLE = document.title
/** What is focused when a phase begins, so that whoever uses the keyboard is where the next step is. */
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

/** Whether we hear the server: connecting, live, reconnecting, polling, closed. */
export function showConnection(state, why) {
  const line = find('connection')
  line.dataset.state = state
  line.textContent = why ? `${state}: ${why}` : state
}

export function showMedia(id, stream) {
  find(id).srcObject = stream
}

export function showHold({ isHeld, isDimmed }) {
  find('hold').setAttribute('aria-pressed', isHeld)
  find('remote').classList.toggle('dimmed', isDimmed)
}

export function say(text) {
  find('status').textContent = text
}

/** One line of the log. `direction`: in, out or error. */
export function note(direction, what, { id = '', data = {} } = {}) {
  const row = document.createElement('li')
  row.className = direction
  Object.assign(row.dataset, { type: what, id })
  for (const [name, text] of [
    ['time', new Date().toLocaleTimeString()],
    ['b', what],
    ['span', summary(data)],
    ['code', id]
  ]) {
    row.append(Object.assign(document.createElement(name), { textContent: text }))
  }
  const log = find('log')
  log.append(row)
  log.scrollTop = log.scrollHeight
}

export function tell(error) {
  note('error', error.message)
  say(error.message)
}

function summary({ from, by, reason, candidates, end, revision, setupMs }) {
  const parts = [
    from && `from ${from.user}`,
    by && `by ${by.user}`,
    reason,
    revision && !candidates && `revision ${revision}`,
    candidates && `${candidates.length} candidate${candidates.length === 1 ? '' : 's'}`,
    end && 'the last ones',
    setupMs && `after ${setupMs} ms`
  ]
  return parts.filter(Boolean).join(', ')
}
