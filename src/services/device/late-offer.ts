// What a device that comes late is offered, it is offered once.
import type { Endpoint } from '../../schemas/common.js'
import type { Cursor, StoredEvent } from '../../store/store.js'
import type { Context } from '../context.js'

/** The most entries and bytes of a page: a mailbox is searched page by page. */
const PAGE = { limit: 100, maxBytes: 131_072 }

/** Where the device's mailbox stands; null if such an event came there since, or the device is gone. */
export async function cursorBeforeOffer(
  { store, clock }: Context,
  { user, device }: Endpoint,
  since: Cursor,
  isOffer: (event: StoredEvent) => boolean
): Promise<Cursor | null> {
  for (let cursor = since; ; ) {
    const found = await store.mailboxes.read(user, device, { from: cursor, ...PAGE, now: clock.now() })
    if (found.status === 'none') return null
    if (found.status === 'reset') return found.head
    if (found.events.some(isOffer)) return null
    const last = found.events.at(-1)
    if (last === undefined || last.seq === found.head.seq) return found.head
    cursor = last
  }
}
