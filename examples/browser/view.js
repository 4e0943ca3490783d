// What both pages show: one status line, how the server is heard, and all that goes over the wire.

export const find = id => document.getElementById(id)

/** Whether we hear the server: connecting, live, reconnecting, polling, closed. */
export function showConnection(state, why) {
  const line = find('connection')
  line.dataset.state = state
  line.textContent = why ? `${state}: ${why}` : state
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

function summary({ participant, from, by, reason, content, candidates, end, revision, setupMs, ...rest }) {
  const parts = [
    participant?.user ?? rest.user,
    from && `from ${from.user}`,
    by && `by ${by.user}`,
    reason,
    content,
    revision && !candidates && `revision ${revision}`,
    candidates && `${candidates.length} candidate${candidates.length === 1 ? '' : 's'}`,
    end && 'the last ones',
    setupMs && `after ${setupMs} ms`
  ]
  return parts.filter(Boolean).join(', ')
}
