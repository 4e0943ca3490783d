// Shared by both pages: the status line, the state of the connection, and the log of all requests and events.

export const find = id => document.getElementById(id)

/** `state` of the connection to the server: connecting, live, reconnecting, polling, closed. */
export function showConnection(state, why) {
  const line = find('connection')
  line.dataset.state = state
  line.textContent = why ? `${state}: ${why}` : state
}

export function showStatus(text) {
  find('status').textContent = text
}

/** One line of the log. `direction`: in, out or error. */
export function addLogLine(direction, what, { id = '', data = {} } = {}) {
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

export function showError(error) {
  addLogLine('error', error.message)
  showStatus(error.message)
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
