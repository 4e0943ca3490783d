// packages/client/src/api.ts: the types of the SDK, from openapi/openapi.yaml. packages/operator/src/api.ts: those of the admin API, from
// openapi/admin.yaml. Written here, because the known generators need the compiler API of TypeScript 5, and because these types have names:
// `Call` instead of `components['schemas']['Call']`.
import { parse } from 'yaml'
import { StreamEvent } from '../../src/schemas/stream.js'

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  readonly description?: string
  readonly discriminator?: { readonly mapping: Readonly<Record<string, string>> }
}

interface Operation {
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

const WIDTH = 120

/** `source`: the document's path. */
export function clientTypes(openapi: string, source = 'openapi/openapi.yaml'): string {
  const { paths, components } = parse(openapi) as OpenApi
  const declarations = Object.entries(components.schemas).map(([name, schema]) => declaration(name, schema))
  const header = `// Generated from ${source} by \`npm run docs\`. Do not edit.\n`
  const events = components.schemas.Event ? [eventTypes(components.schemas)] : []
  return [header, ...declarations, ...events, operationTypes(paths)].join('\n')
}

function declaration(name: string, schema: Schema): string {
  const type = typeOf(schema, '')
  const isInterface = schema.type === 'object' && type.startsWith('{')
  return `${comment(schema, '')}export ${isInterface ? `interface ${name} ${type}` : `type ${name} = ${type}`}\n`
}

const STREAM_TYPES = new Set<string>(StreamEvent.anyOf.map(({ properties }) => properties.type.const))

/** The data of each type of event, by type: those of the mailbox with the notices, and those that a stream sends about itself. */
function eventTypes(schemas: OpenApi['components']['schemas']): string {
  const names = ['Event', 'Notice'].flatMap(union => Object.entries(schemas[union]?.discriminator?.mapping ?? {}))
  const members = new Map(
    names.map(([type, ref]) => [type, typeOf(schemas[nameOf(ref)]?.properties?.data ?? {}, '  ')])
  )
  const list = (isOfStream: boolean) =>
    [...members]
      .filter(([type]) => STREAM_TYPES.has(type) === isOfStream)
      .map(([type, data]) => `  '${type}': ${data}\n`)
      .join('')
  return [
    `/** The data of each type of event. */\nexport interface EventData {\n${list(false)}}\n`,
    `/** The same of the events that a stream sends about itself. */\nexport interface StreamEventData {\n${list(true)}}\n`
  ].join('\n')
}

/** Method, path, body and reply of each operation. A path with more segments comes first, so that the first match is the right one. */
function operationTypes(paths: OpenApi['paths']): string {
  const rows = Object.entries(paths)
    .filter(([path]) => path.startsWith('/v1/'))
    .flatMap(([path, operations]) => Object.entries(operations).map(entry => ({ path: path.slice(3), entry })))
    .sort((a, b) => rank(b.path) - rank(a.path))
    .map(({ path, entry: [method, operation] }) => {
      const pattern = path.includes('{') ? `\`${path.replace(/\{\w+\}/g, '$' + '{string}')}\`` : `'${path}'`
      return `  ['${method.toUpperCase()}', ${pattern}, ${bodyType(operation)}, ${replyType(operation)}]`
    })
  return `/** Method, path, body and reply of each operation. */\nexport type Operations = [\n${rows.join(',\n')}\n]\n`
}

/** A pattern matches any text between two slashes and beyond, so longer paths, and of two alike the one with more fixed text, come first. */
const rank = (path: string) => path.split('/').length * 1000 - (path.match(/\{/g) ?? []).length

function bodyType({ requestBody }: Operation): string {
  if (!requestBody) return 'undefined'
  const types = Object.entries(requestBody.content).map(([media, { schema }]) =>
    media === 'application/json' ? typeOf(schema, '') : 'string'
  )
  return [...new Set(types)].join(' | ')
}

function replyType({ responses }: Operation): string {
  const contents = Object.entries(responses).flatMap(([status, { content }]) => (status < '300' ? [content ?? {}] : []))
  const types = contents.flatMap(content => Object.values(content).map(({ schema }) => typeOf(schema, '')))
  return types.length > 0 ? [...new Set(types)].join(' | ') : 'null'
}

const nameOf = (ref: string) => ref.slice(ref.lastIndexOf('/') + 1)

function typeOf(schema: Schema, indent: string): string {
  const { $ref, anyOf, oneOf, type } = schema
  if ($ref !== undefined) return nameOf($ref)
  if ('const' in schema) return literal(schema.const)
  if (schema.enum) return schema.enum.map(literal).join(' | ')
  const union = anyOf ?? oneOf
  if (union) return [...new Set(union.map(each => typeOf(each, indent)))].join(' | ')
  if (Array.isArray(type)) return type.map(each => typeOf({ ...schema, type: each }, indent)).join(' | ')
  switch (type) {
    case 'object':
      return objectType(schema, indent)
    case 'array':
      return `readonly ${arrayItem(typeOf(schema.items ?? {}, indent))}[]`
    case 'integer':
    case 'number':
      return 'number'
    case 'string':
    case 'boolean':
    case 'null':
      return type
    default:
      return 'unknown'
  }
}

const arrayItem = (type: string) => (/^\w+$/.test(type) ? type : `(${type})`)

const literal = (value: unknown) => (typeof value === 'string' ? `'${value}'` : String(value))

function objectType({ properties = {}, required = [], additionalProperties }: Schema, indent: string): string {
  const inner = `${indent}  `
  const members = Object.entries(properties).map(([name, schema]) => {
    const mark = required.includes(name) ? '' : '?'
    return `${comment(schema, inner)}${inner}readonly ${name}${mark}: ${typeOf(schema, inner)}\n`
  })
  if (members.length === 0) return additionalProperties === false ? 'Record<string, never>' : 'Record<string, unknown>'
  if (additionalProperties === true) members.push(`${inner}readonly [member: string]: unknown\n`)
  return `{\n${members.join('')}${indent}}`
}

function comment({ description }: Schema, indent: string): string {
  if (description === undefined) return ''
  const text = description.replace(/\s+/g, ' ').replaceAll('*/', '* /')
  const oneLine = `${indent}/** ${text} */\n`
  if (oneLine.length <= WIDTH) return oneLine
  return `${indent}/**\n${wrap(text, `${indent} * `)}${indent} */\n`
}

function wrap(text: string, prefix: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && prefix.length + line.length + word.length >= WIDTH) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.map(line => `${prefix}${line}\n`).join('')
}
