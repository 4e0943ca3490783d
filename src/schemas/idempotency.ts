// The header that makes a retry of a create safe.
import { Type } from 'typebox'

export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: '^[!-~]+$',
      description:
        'Makes a retry safe without an id of your own in the body: a request with the same key, from the same user, returns the first result.'
    })
  )
})
