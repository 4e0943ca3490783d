// Wake-ups over sharded pub/sub. The scripts publish lines of text: kind, device, then the fields of the kind. The envelope of an event is one
// line, sent to clients without being parsed.
import type { StoredEvent, Wakeup, Wakeups } from '../store.js'
import type { Channels, Listener } from './channels.js'
import type { RunCommand } from './clients.js'
import { parseAggregateKey, wakeChannel } from './keys.js'
import { parseStamp } from './stamp.js'

/** Null for a kind of a newer release, during a rolling deploy. */
export function parseWakeup(text: string): Wakeup | null {
  const [kind, device = '', value = '', ...rest] = text.split('\n')
  if (kind === 'event') return { kind, device, prevTag: value, events: toEvents(rest) }
  if (kind === 'claimed') return { kind, device, connection: value }
  if (kind === 'auth') return { kind, device, expiresAt: value === '' ? null : Number(value) }
  if (kind === 'gone') return { kind, device }
  if (kind === 'notice') return { kind, device, type: value, envelope: rest[0] ?? '' }
  return null
}

/** The lines are the seq of the first event, then tag, type and envelope of each event. */
function toEvents([first, ...lines]: readonly string[]): StoredEvent[] {
  const events: StoredEvent[] = []
  for (let i = 0; i < lines.length; i += 3) {
    const [tag = '', type = '', envelope = ''] = lines.slice(i, i + 3)
    events.push({ seq: Number(first) + events.length, tag, type, envelope })
  }
  return events
}

const STATE = 'state\n'

type CommitListener = Parameters<Wakeups['onCommit']>[0]

/** A class, because there is one for each user with a stream, and closures take more memory. */
class WakeupListener implements Listener {
  readonly #listen: (wakeup: Wakeup) => void
  readonly #commits: ReadonlySet<CommitListener>

  constructor(listen: (wakeup: Wakeup) => void, commits: ReadonlySet<CommitListener>) {
    this.#listen = listen
    this.#commits = commits
  }

  receive(text: string): void {
    if (text.startsWith(STATE)) {
      const [, key = '', stamp = '', state = ''] = text.split('\n')
      for (const listen of this.#commits) listen(parseAggregateKey(key), { ...parseStamp(stamp), state })
      return
    }
    const wakeup = parseWakeup(text)
    if (wakeup) this.#listen(wakeup)
  }

  gap(): void {
    this.#listen({ kind: 'gap' })
  }
}

export function createRedisWakeups(channels: Channels, runCommand: RunCommand): Wakeups {
  const commits = new Set<CommitListener>()
  return {
    subscribe: (user, listen) => channels.listen(wakeChannel(user), new WakeupListener(listen, commits)),
    onCommit(listen) {
      commits.add(listen)
      return () => void commits.delete(listen)
    },
    async notify(user, { device, type, envelope }) {
      const text = ['notice', device, type, envelope].join('\n')
      await runCommand(client => client.spublish(wakeChannel(user), text))
    }
  }
}
