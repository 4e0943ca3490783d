// What a device that comes late is offered, it is offered once.
import type { Endpoint } from '../schemas/common.js'
import type { Cursor, StoredEvent } from '../store/store.js'
import type { Context } from './context.js'

/** Where the device's mailbox stands; null if such an event came there since, or the device is gone. */
export async function headWithout(
  { store, clock, config }: Context,
  { user, device }: Endpoint,
  since: Cursor,
  isOffer: (event: StoredEvent) => boolean
): Promise<Cursor | null> {
  const options = { limit: config.mailboxMaxEvents, now: clock.now() }
  const found = await store.mailboxes.read(user, device, since, options)
  if (found.status === 'none') return null
  const isOffered = found.status === 'ok' && found.events.some(isOffer)
  return isOffered ? null : found.head
}
