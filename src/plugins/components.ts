// Names in the OpenAPI document. @fastify/swagger makes components of some schemas and copies others into every place; here
// each schema with an `$id`, and each example of a problem, stands once among the components and is referred to.

export type Components = Record<'schemas' | 'examples', Record<string, unknown>>

type Members = Readonly<Record<string, unknown>>

/** Where a name hides while @fastify/swagger is at work, which drops `$id`. */
const NAME = 'x-component'

/** A copy with every `$id` in hiding. */
export function markNames(value: unknown): unknown {
  return copy(value, ({ $id, ...members }) => {
    const marked = each(members, markNames)
    return typeof $id === 'string' ? { ...marked, [NAME]: $id } : marked
  })
}

/** A copy with a reference for whatever has a name; what it refers to is added to `components`. */
export function hoist(value: unknown, components: Components): unknown {
  return copy(value, ({ [NAME]: name, ...members }) => {
    const hoisted = each(members, (member, key) =>
      // A list of examples belongs to a schema; a map of them, to a reply.
      key === 'examples' && !Array.isArray(member)
        ? each(member as Members, (example, of) => refer(components, ['examples', of], example))
        : hoist(member, components)
    )
    return typeof name === 'string' ? refer(components, ['schemas', name], hoisted) : hoisted
  })
}

function refer(components: Components, [section, name]: [keyof Components, string], value: unknown): { $ref: string } {
  components[section][name] ??= value
  return { $ref: `#/components/${section}/${name}` }
}

function copy(value: unknown, change: (object: Members) => unknown): unknown {
  if (Array.isArray(value)) return value.map(item => copy(item, change))
  return typeof value === 'object' && value !== null ? change(value as Members) : value
}

function each(members: Members, change: (member: unknown, key: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).map(([key, member]) => [key, change(member, key)]))
}
