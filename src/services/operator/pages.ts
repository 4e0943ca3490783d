// The pages of lists of what lives, which are read from the timer indexes: everything that lives has a deadline.
import { AppError } from '../../errors.js'
import type { AggregatePage } from '../../store/timers.js'
import type { Context } from '../context.js'

/** @throws AppError invalid_request */
export async function listPage(
  { store }: Context,
  kind: 'call' | 'room',
  { limit = 100, after = null }: { readonly limit?: number | undefined; readonly after?: string | null | undefined }
): Promise<AggregatePage> {
  const page = await store.timers.list({ kind, limit, after })
  if (page === null) throw new AppError('invalid_request', { detail: '`after` is not the `next` of an earlier reply' })
  return page
}
