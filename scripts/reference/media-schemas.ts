// The schemas of the bodies that Signalpost sends to a media service, as examples/media-service validates with them.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

type Schema = Record<string, unknown>
interface Contract {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}
interface Operation {
  readonly tags?: readonly string[]
  readonly requestBody?: {
    readonly content: { readonly 'application/json': { readonly schema: { readonly $ref: string } } }
  }
}

const CONTRACT = new URL('../../openapi/media-service.yaml', import.meta.url)
const PREFIX = '#/components/schemas/'
/** Members that validate nothing. */
const DOCUMENTATION = new Set(['description', 'default', 'examples'])

export function mediaSchemas(): string {
  const { paths, components }: Contract = parse(readFileSync(CONTRACT, 'utf8'))
  const bodies = Object.values(paths)
    .flatMap(path => Object.values(path))
    .filter(({ tags = [] }) => !tags.includes('signalpost'))
    .flatMap(({ requestBody }) => requestBody?.content['application/json'].schema.$ref.replace(PREFIX, '') ?? [])
  const found = new Map<string, unknown>()
  for (const name of bodies) collect(name, components.schemas, found)
  const lines = [...found].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, schema]) => JSON.stringify(schema))
  return `[\n${lines.join(',\n')}\n]\n`
}

/** Adds a schema and those that it refers to. */
function collect(name: string, schemas: Contract['components']['schemas'], found: Map<string, unknown>): void {
  if (found.has(name)) return
  found.set(name, null)
  const convert = (value: unknown, isNamed = false): unknown => {
    if (Array.isArray(value)) return value.map(each => convert(each))
    if (typeof value !== 'object' || value === null) return value
    const members = Object.entries(value).filter(([key]) => isNamed || !DOCUMENTATION.has(key))
    return Object.fromEntries(
      members.map(([key, each]) => {
        if (key !== '$ref') return [key, convert(each, key === 'properties')]
        const target = String(each).replace(PREFIX, '')
        collect(target, schemas, found)
        return [key, `${target}#`]
      })
    )
  }
  found.set(name, { $id: name, ...(convert(schemas[name]) as Schema) })
}
