// Wake-ups over sharded pub/sub. The scripts publish lines of text: kind, device, then what belongs to the kind. An event's
// envelope comes last and goes on to clients as it is, so nobody parses it.
import type { Wakeup, Wakeups } from '../store.js'
import type { Channels, Listener } from './channels.js'
import type { Attempt } from './clients.js'
import { wakeChannel } from './keys.js'

/** Cuts `count` lines off; the last part is whatever follows. */
function cut(text: string, count: number): string[] {
  const parts: string[] = []
  let from = 0
  while (parts.length < count) {
    const end = text.indexOf('\n', from)
    if (end < 0) break
    parts.push(text.slice(from, end))
    from = end + 1
  }
  parts.push(text.slice(from))
  return parts
}

/** Lines before what comes last; two unless it says otherwise. */
const HEADERS: Readonly<Record<string, number>> = { event: 6, notice: 3 }

/** Null for a kind that only a newer release knows: in a rolling deploy its reader will read the mailbox in time. */
export function parseWakeup(text: string): Wakeup | null {
  const kind = text.slice(0, text.indexOf('\n'))
  const [, device = '', value = '', seq = '', tag = '', type = '', envelope = ''] = cut(text, HEADERS[kind] ?? 2)
  if (kind === 'event') return { kind, device, prevTag: value, event: { seq: Number(seq), tag, type, envelope } }
  if (kind === 'claimed') return { kind, device, connection: value }
  if (kind === 'auth') return { kind, device, expiresAt: value === '' ? null : Number(value) }
  if (kind === 'gone') return { kind, device }
  if (kind === 'notice') return { kind, device, type: value, envelope: seq }
  return null
}

/** A class and not two closures: there is one for each user with a stream. */
class Ear implements Listener {
  readonly #listen: (wakeup: Wakeup) => void

  constructor(listen: (wakeup: Wakeup) => void) {
    this.#listen = listen
  }

  receive(text: string): void {
    const wakeup = parseWakeup(text)
    if (wakeup) this.#listen(wakeup)
  }

  gap(): void {
    this.#listen({ kind: 'gap' })
  }
}

export function createRedisWakeups(channels: Channels, attempt: Attempt): Wakeups {
  return {
    subscribe: (user, listen) => channels.listen(wakeChannel(user), new Ear(listen)),
    async notify(user, { device, type, envelope }) {
      const text = ['notice', device, type, envelope].join('\n')
      await attempt(client => client.spublish(wakeChannel(user), text))
    }
  }
}
