// The text form of a cursor, `<seq>.<tag>`: the id of an event, or of an empty mailbox (`0.<tag>`).
import { AppError } from '../errors.js'
import type { Cursor } from './mail.js'

/** `start`: before the oldest event that is kept. */
export type MailboxPosition = Cursor | 'start'

const CURSOR = /^(0|[1-9]\d{0,14})\.([a-z0-9]{1,16})$/

export function formatCursor({ seq, tag }: Cursor): string {
  return `${seq}.${tag}`
}

/** Null without a cursor: the client connects for the first time. @throws AppError invalid_cursor */
export function parseCursor(text: string | undefined): MailboxPosition | null {
  if (text === undefined || text === '') return null
  if (text === 'start') return 'start'
  const match = CURSOR.exec(text)
  if (!match) throw new AppError('invalid_cursor')
  return { seq: Number(match[1]), tag: match[2] ?? '' }
}
