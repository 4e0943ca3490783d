// The pages of the lists of the admin API.
import { type Static, Type } from 'typebox'
import { Nullable, Strict } from './common.js'

/** The token holds the key of an item, whose id may have 255 bytes that are encoded. */
const TOKEN_MAX = 2048

export const AfterQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 200, default: 100, description: 'Most items of the reply.' })
    ),
    after: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]+$',
        maxLength: TOKEN_MAX,
        description: 'Returns the page after it: `next` of an earlier reply.'
      })
    )
  },
  { ...Strict }
)
export type AfterQuery = Static<typeof AfterQuery>

export const NextPage = Nullable(
  Type.String({ examples: ['WzAsIjE3NiJd'] }),
  'Pass it as `after` to read the next page. Null: this is the last one. A page may be short, or empty, without being the last.'
)
