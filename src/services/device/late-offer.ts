// Offers a ringing call or invitation to a device that registers late, and only once.
import type { Endpoint } from '../../schemas/common.js'
import type { Cursor, StoredEvent } from '../../store/store.js'
import type { Context } from '../context.js'

const PAGE_BOUNDS = { limit: 100, maxBytes: 131_072 }

interface OfferSearch {
  readonly since: Cursor
  readonly isOffer: (event: StoredEvent) => boolean
}

/** The cursor to append the offer at. Null: the mailbox has an offer after `since`, or the device is not registered. */
export async function cursorBeforeOffer(
  { store, clock }: Pick<Context, 'store' | 'clock'>,
  { user, device }: Endpoint,
  { since, isOffer }: OfferSearch
): Promise<Cursor | null> {
  for (let cursor = since; ; ) {
    const page = await store.mailboxes.read(user, device, { from: cursor, ...PAGE_BOUNDS, now: clock.now() })
    if (page.status === 'none') return null
    if (page.status === 'reset') return page.head
    if (page.events.some(isOffer)) return null
    const last = page.events.at(-1)
    if (last === undefined || last.seq === page.head.seq) return page.head
    cursor = last
  }
}
