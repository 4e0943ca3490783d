// Tickets stand in for a token where no header can be set: an EventSource is opened with `?ticket=`, and comes back to the same
// URL by itself. So a ticket is good for many uses, each of which keeps it alive a little longer; never longer than the token, and not
// after its device has signed off.
import { AppError } from '../errors.js'
import type { Actor } from '../schemas/claims.js'
import { ID_PATTERN } from '../schemas/common.js'
import { TICKET_IDLE_MS } from '../store/tickets.js'
import type { Context } from './context.js'

/** Until its first use. */
const TICKET_UNUSED_MS = 60_000

interface Grant {
  readonly device: string
  readonly expiresAt: number | null
}

export interface IssuedTicket {
  readonly ticket: string
  readonly expiresInMs: number
}

export async function issueTicket({ store, ids, clock }: Context, actor: Actor): Promise<IssuedTicket> {
  const { user, device, expiresAt } = actor
  const secret = ids.secret()
  const grant: Grant = { device, expiresAt }
  const left = expiresAt === null ? TICKET_UNUSED_MS : Math.max(1, expiresAt - clock.now())
  const expiresInMs = Math.min(TICKET_UNUSED_MS, left)
  await store.tickets.put(user, { id: secret, device, value: JSON.stringify(grant), ttlMs: expiresInMs })
  return { ticket: `${Buffer.from(user).toString('base64url')}.${secret}`, expiresInMs }
}

/** Whom the ticket speaks for. Throws invalid_ticket. */
export async function redeemTicket({ store, clock }: Context, ticket: string): Promise<Actor> {
  const { user, secret } = parse(ticket)
  const value = await store.tickets.use(user, secret, TICKET_IDLE_MS)
  if (value === null) throw new AppError('invalid_ticket')
  const { device, expiresAt } = JSON.parse(value) as Grant
  if (expiresAt !== null && expiresAt <= clock.now()) throw new AppError('invalid_ticket')
  return { user, device, expiresAt }
}

/** What a stream has to know of its ticket to keep it alive. */
export function secretOf(ticket: string | undefined): string | undefined {
  return ticket === undefined ? undefined : parse(ticket).secret
}

const TICKET = /^([A-Za-z0-9_-]{2,171})\.([A-Za-z0-9_-]{16,64})$/
const ID = new RegExp(ID_PATTERN)

function parse(ticket: string): { user: string; secret: string } {
  const [, encoded = '', secret = ''] = TICKET.exec(ticket) ?? []
  const user = Buffer.from(encoded, 'base64url').toString()
  // The user becomes part of a key of the store before anything is verified.
  if (!ID.test(user)) throw new AppError('invalid_ticket')
  return { user, secret }
}
