// The OpenAPI document in version 3.0, for code generators that do not read 3.1. It leaves out what they cannot use: the description of a
// single use of a component (3.0 ignores members beside `$ref`), and bodies and replies in other types than JSON where JSON is possible.

type Members = Readonly<Record<string, unknown>>

/** Members that hold data and not schemas. */
const DATA = new Set(['example', 'value', 'enum', 'default'])
const JSON_TYPE = 'application/json'

interface Document31 {
  readonly info: Members & { readonly license: { readonly name: string; readonly identifier: string } }
  readonly components: { readonly schemas: Readonly<Record<string, Members>> }
}

export function openapi30(document: object): object {
  const { info, ...rest } = document as Document31
  const { summary: _, license, ...others } = info
  const { name, identifier } = license
  return {
    openapi: '3.0.3',
    info: { ...others, license: { name, url: `https://spdx.org/licenses/${identifier}.html` } },
    ...(({ openapi: _, ...parts }) => parts)(convert(rest, rest.components.schemas) as Members)
  }
}

function convert(value: unknown, schemas: Document31['components']['schemas']): unknown {
  if (Array.isArray(value)) return value.map(item => convert(item, schemas))
  if (typeof value !== 'object' || value === null) return value
  const members = value as Members
  if (typeof members.$ref === 'string') return { $ref: members.$ref }
  const converted = mapMembers(members, (member, key) => {
    if (DATA.has(key)) return member
    // The names of properties are no keywords.
    if (key === 'properties') return mapMembers(member as Members, property => convert(property, schemas))
    return convert(member, schemas)
  })
  return unionAsNullable(typesAsNullable(firstExample(constAsEnum(onlyJson(converted)))), schemas)
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

/** Of a component and null. A reference has no `nullable` of its own, and `nullable` needs a `type` beside it. */
function unionAsNullable(members: Members, schemas: Document31['components']['schemas']): Members {
  const { anyOf, ...others } = members
  if (!Array.isArray(anyOf)) return members
  const [{ $ref }] = anyOf
  return { type: schemas[$ref.split('/').at(-1)]?.type, nullable: true, allOf: [{ $ref }], ...others }
}
