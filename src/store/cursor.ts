// The text form of a cursor, `<seq>.<tag>`: the id of an event, or of an empty mailbox (`0.<tag>`).
import { AppError } from '../errors.js'
import type { Cursor } from './mail.js'

/** `start`: before the oldest event that is kept. */
export type MailboxPosition = Cursor | 'start'

const CURSOR = /^(0|[1-9]\d{0,14})\.([a-z0-9]{1,16})$/

export function formatCursor(position: MailboxPosition): string {
  return position === 'start' ? position : `${position.seq}.${position.tag}`
}

/** `unreadable`: the text is no cursor. */
export type ResumePosition = MailboxPosition | 'unreadable'

/** Null without a cursor: the client connects for the first time. */
export function parseResumePosition(text: string | undefined): ResumePosition | null {
  if (text === undefined || text === '') return null
  if (text === 'start') return 'start'
  const match = CURSOR.exec(text)
  return match ? { seq: Number(match[1]), tag: match[2] ?? '' } : 'unreadable'
}

/** Null without a cursor. @throws AppError invalid_cursor */
export function parseCursor(text: string | undefined): MailboxPosition | null {
  const position = parseResumePosition(text)
  if (position === 'unreadable') throw new AppError('invalid_cursor')
  return position
}
