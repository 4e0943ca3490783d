// A cursor as clients see it: `<seq>.<tag>`, the id of an event, or of the birth of a mailbox (`0.<tag>`).
import { AppError } from '../errors.js'
import type { Cursor } from '../store/store.js'

/** `start`: all that is kept. */
export type Position = Cursor | 'start'

const CURSOR = /^(0|[1-9]\d{0,14})\.([a-z0-9]{1,16})$/

export function formatCursor({ seq, tag }: Cursor): string {
  return `${seq}.${tag}`
}

/** Null for nothing at all: that is a client's first time. Throws invalid_cursor. */
export function parseCursor(text: string | undefined): Position | null {
  if (text === undefined || text === '') return null
  if (text === 'start') return 'start'
  const match = CURSOR.exec(text)
  if (!match) throw new AppError('invalid_cursor')
  return { seq: Number(match[1]), tag: match[2] ?? '' }
}
