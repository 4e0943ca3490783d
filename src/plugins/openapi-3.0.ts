// The OpenAPI document in version 3.0, for code generators that do not read 3.1. It leaves out what they cannot use: the description of a
// single use of a component (3.0 ignores members beside `$ref`), and bodies and replies in other types than JSON where JSON is possible. Its
// replies are open, for clients that are older than their server.
import { openReplies } from './open-replies.js'

type Members = Readonly<Record<string, unknown>>

/** Members that hold data and not schemas. */
const DATA = new Set(['example', 'value', 'enum', 'default'])
const JSON_TYPE = 'application/json'

interface Document31 {
  readonly openapi: string
  /** 3.0 has only a name for extensions. */
  readonly webhooks?: Members
  readonly info: Members & { readonly license: { readonly name: string; readonly identifier: string } }
}

export function openapi30(document: object): object {
  const { openapi: _, info, webhooks, ...parts } = document as Document31
  const { summary: __, license, ...others } = info
  const { name, identifier } = license
  return openReplies({
    openapi: '3.0.3',
    info: { ...others, license: { name, url: `https://spdx.org/licenses/${identifier}.html` } },
    ...(convert(webhooks ? { ...parts, 'x-webhooks': webhooks } : parts) as Members)
  })
}

function convert(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(convert)
  if (typeof value !== 'object' || value === null) return value
  const members = value as Members
  if (typeof members.$ref === 'string') return { $ref: members.$ref }
  const converted = mapMembers(members, (member, key) => {
    if (DATA.has(key)) return member
    // The names of properties are no keywords.
    return key === 'properties' ? mapMembers(member as Members, convert) : convert(member)
  })
  return unionAsNullable(typesAsNullable(firstExample(constAsEnum(onlyJson(converted)))))
}

const mapMembers = (members: Members, change: (member: unknown, key: string) => unknown): Members =>
  Object.fromEntries(Object.entries(members).map(([key, member]) => [key, change(member, key)]))

function onlyJson({ contentMediaType: _, contentSchema: __, ...members }: Members): Members {
  const { content } = members as { readonly content?: Members }
  return content?.[JSON_TYPE] === undefined ? members : { ...members, content: { [JSON_TYPE]: content[JSON_TYPE] } }
}

function constAsEnum({ const: value, ...members }: Members): Members {
  return value === undefined ? members : { ...members, enum: [value] }
}

/** Of a schema. In parameters and media types `examples` is an object, in 3.0 as well. */
function firstExample(members: Members): Members {
  const { examples, ...others } = members
  return Array.isArray(examples) ? { ...others, example: examples[0] } : members
}

/** Of several types the first remains, which is the one that clients should send. */
function typesAsNullable(members: Members): Members {
  const { type, ...others } = members
  if (!Array.isArray(type)) return members
  return { type: type[0], ...(type.includes('null') ? { nullable: true } : {}), ...others }
}

/**
 * Of a component and null. A reference has no `nullable` of its own. OpenAPI 3.0.3 asks for a `type` beside `nullable`, but with one
 * openapi-python-client ignores it.
 */
function unionAsNullable(members: Members): Members {
  const { anyOf, ...others } = members
  return Array.isArray(anyOf) ? { nullable: true, allOf: [anyOf[0]], ...others } : members
}
