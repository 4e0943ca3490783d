// Offers a ringing call or invitation to a device that registers late, and only once; and finds the offers of calls that ring already.
import type { Endpoint } from '../../schemas/common.js'
import type { MailboxPosition } from '../../store/cursor.js'
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

/**
 * Where a device has to start to receive the `call.incoming` of these calls, whose offers no state has: before the oldest of them that the mailbox
 * keeps. Without one: `head`.
 */
export async function positionBeforeIncoming(
  { store, clock }: Pick<Context, 'store' | 'clock'>,
  { user, device }: Endpoint,
  { head, callIds }: { readonly head: Cursor; readonly callIds: ReadonlySet<string> }
): Promise<MailboxPosition> {
  const rings = ({ type, envelope }: StoredEvent) => type === 'call.incoming' && callIds.has(callIdOf(envelope))
  for (let cursor: MailboxPosition = 'start'; callIds.size > 0; ) {
    const page = await store.mailboxes.read(user, device, { from: cursor, ...PAGE_BOUNDS, now: clock.now() })
    if (page.status !== 'ok') return head
    const events: readonly StoredEvent[] = page.events.filter(({ seq }) => seq <= head.seq)
    const index = events.findIndex(rings)
    if (index >= 0) return events[index - 1] ?? cursor
    const last = events.at(-1)
    if (last === undefined || last.seq === head.seq) return head
    cursor = last
  }
  return head
}

const callIdOf = (envelope: string): string =>
  (JSON.parse(envelope) as { readonly data: { readonly callId: string } }).data.callId
