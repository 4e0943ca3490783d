// Tickets replace a token where no header can be set: an EventSource opens a URL with `?ticket=`, and reconnects to the same URL; a page that is
// being closed sends a beacon. So a ticket can be used many times. Each use extends it, at most until the token expires; it ends when its device signs off.
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import { isId } from '../schemas/common.js'
import { TICKET_IDLE_MS } from '../store/tickets.js'
import type { Context } from './context.js'

/** How long a ticket is valid before its first use. */
const TICKET_UNUSED_MS = 60_000

interface TicketValue {
  readonly device: string
  readonly expiresAt: number | null
  /** Of the token that it replaces. Missing in a ticket of an older release. */
  readonly issuedAt?: number | null
}

export interface IssuedTicket {
  readonly ticket: string
  readonly expiresInMs: number
}

export async function issueTicket({ store, ids, clock }: Context, actor: Actor): Promise<IssuedTicket> {
  const { user, device, expiresAt, issuedAt = null } = actor
  const secret = ids.secret()
  const ticket: TicketValue = { device, expiresAt, issuedAt }
  const left = expiresAt === null ? TICKET_UNUSED_MS : Math.max(1, expiresAt - clock.now())
  const expiresInMs = Math.min(TICKET_UNUSED_MS, left)
  await store.tickets.put(user, { id: secret, device, value: JSON.stringify(ticket), ttlMs: expiresInMs })
  return { ticket: `${Buffer.from(user).toString('base64url')}.${secret}`, expiresInMs }
}

/** The user and device that the ticket was issued to. In rooms it allows to leave, and nothing else. @throws AppError invalid_ticket */
export async function redeemTicket({ store, clock }: Context, ticket: string): Promise<Actor> {
  const { user, secret } = parse(ticket)
  const value = await store.tickets.use(user, secret, TICKET_IDLE_MS)
  if (value === null) throw new AppError('invalid_ticket')
  const { device, expiresAt, issuedAt = null } = JSON.parse(value) as TicketValue
  if (expiresAt !== null && expiresAt <= clock.now()) throw new AppError('invalid_ticket')
  return { user, device, expiresAt, issuedAt, rooms: {} }
}

/** The store's id of the ticket, by which a stream extends it. @throws AppError invalid_ticket */
export function secretOf(ticket: string | undefined): string | undefined {
  return ticket === undefined ? undefined : parse(ticket).secret
}

/** Base64url of a user id, which has up to 255 bytes, and a secret. */
const TICKET = /^([A-Za-z0-9_-]{2,340})\.([A-Za-z0-9_-]{16,64})$/

function parse(ticket: string): { user: string; secret: string } {
  const [, encoded = '', secret = ''] = TICKET.exec(ticket) ?? []
  const user = Buffer.from(encoded, 'base64url').toString()
  // The user becomes part of a store key before the ticket is verified.
  if (!isId(user)) throw new AppError('invalid_ticket')
  return { user, secret }
}
