// Components of the OpenAPI document. @fastify/swagger copies a schema to each place of use. Here each schema with an `$id`, and each
// parameter that several operations share, becomes one component, and each place of use a reference to it.
import { isDeepStrictEqual } from 'node:util'

type Members = Readonly<Record<string, unknown>>

export interface Components {
  readonly schemas: Record<string, Members>
  readonly parameters: Record<string, Members>
}

/** Keeps the name of a schema: @fastify/swagger drops `$id`. */
const NAME = 'x-component'

/** A copy with every `$id` as `x-component`. */
export function markNames(value: unknown): unknown {
  return copy(value, ({ $id, ...members }) => {
    const marked = each(members, markNames)
    return typeof $id === 'string' ? { ...marked, [NAME]: $id } : marked
  })
}

/** A copy in which each named schema is a reference; the schemas are added to `components`. */
export function hoist(value: unknown, components: Components): unknown {
  return copy(value, ({ [NAME]: name, ...members }) => {
    const schema = tidy(each(members, member => hoist(member, components)))
    return typeof name === 'string' ? refer(components.schemas, name, schema) : schema
  })
}

/** A name that begins with `#` refers to a component without defining it. */
function refer(schemas: Components['schemas'], name: string, schema: Members): Members {
  const $ref = `#/components/schemas/${name.replace('#', '')}`
  if (name.startsWith('#')) return { $ref }
  schemas[name] ??= schema
  const component = schemas[name]
  if (!isDeepStrictEqual(withoutTexts(component), withoutTexts(schema)))
    throw new Error(`Two schemas are named ${name}`)
  return schema.description === component.description ? { $ref } : { $ref, description: schema.description }
}

const withoutTexts = ({ description, examples, ...schema }: Members) => schema

/** Generated code has 32 bits for an integer without a format. */
const INT32_MAX = 2_147_483_647

/** Writes a schema in the form that most code generators understand. */
function tidy(schema: Members): Members {
  const { enum: values, type, anyOf, patternProperties, ...others } = schema
  if (Array.isArray(values) && type === undefined) return { type: 'string', ...schema }
  if (isDeepStrictEqual(others.additionalProperties, {})) return { ...schema, additionalProperties: true }
  if (type === 'integer' && !(Number(others.maximum) <= INT32_MAX)) return { type, format: 'int64', ...others }
  // Generated Java code compares a boolean constant with a string.
  if (type === 'boolean') return { type, ...(({ const: _, ...rest }) => rest)(others) }
  // OpenAPI generators ignore patternProperties. @fastify/swagger makes the same change in the schemas of routes.
  if (patternProperties) return tidy({ type, ...others, additionalProperties: Object.values(patternProperties)[0] })
  if (!Array.isArray(anyOf)) return schema
  // Members that exclude each other: several generators make a union of oneOf only.
  if (anyOf.every(({ $ref }) => $ref !== undefined)) return { oneOf: anyOf, ...others }
  if (anyOf.length !== 2 || anyOf[1].type !== 'null') return schema
  const { description = anyOf[0].description } = schema
  const { description: _, ...inner } = anyOf[0] as Members
  if (inner.$ref !== undefined) return { anyOf: [inner, anyOf[1]], ...(description ? { description } : {}) }
  return { ...inner, type: [inner.type, 'null'], ...(description ? { description } : {}) }
}

interface Parameter {
  readonly name: string
  readonly in: string
}

interface Operation {
  parameters?: readonly Parameter[]
}

/** A parameter that several operations share becomes a component with its name. */
export function shareParameters(operations: readonly Operation[], components: Components): void {
  const counts = new Map<string, number>()
  for (const parameter of operations.flatMap(({ parameters = [] }) => parameters)) {
    const text = JSON.stringify(parameter)
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  for (const operation of operations) {
    if (!operation.parameters) continue
    operation.parameters = operation.parameters.map(parameter => {
      if (counts.get(JSON.stringify(parameter)) === 1) return parameter
      const { name, in: place } = parameter
      const component = `${componentName(name)}${place === 'path' ? '' : place[0]?.toUpperCase() + place.slice(1)}`
      components.parameters[component] ??= parameter as unknown as Members
      if (!isDeepStrictEqual(components.parameters[component], parameter))
        throw new Error(`Two parameters are named ${component}`)
      return { $ref: `#/components/parameters/${component}` } as unknown as Parameter
    })
  }
}

const componentName = (name: string) =>
  name.replace(/^x-/i, '').replace(/(^|-)(\w)/g, (_match, _dash, letter: string) => letter.toUpperCase())

function copy(value: unknown, change: (object: Members) => unknown): unknown {
  if (Array.isArray(value)) return value.map(item => copy(item, change))
  return typeof value === 'object' && value !== null ? change(value as Members) : value
}

function each(members: Members, change: (member: unknown) => unknown): Members {
  return Object.fromEntries(Object.entries(members).map(([key, member]) => [key, change(member)]))
}
