// A client of a media service that holds every reply against openapi/media-service.yaml.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Compile } from 'typebox/compile'
import { parse } from 'yaml'

type Schema = Readonly<Record<string, unknown>>
interface Response {
  readonly $ref?: string
  readonly content?: { readonly 'application/json': { readonly schema: Schema } }
}
export interface ContractOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly requestBody?: {
    readonly content: { readonly 'application/json': { readonly example: object; readonly schema: Schema } }
  }
  readonly responses: Readonly<Record<string, Response>>
}
interface Contract {
  readonly paths: Readonly<Record<string, Readonly<Record<string, ContractOperation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly responses: Readonly<Record<string, Response>>
  }
}

const contract: Contract = parse(readFileSync(new URL('../../openapi/media-service.yaml', import.meta.url), 'utf8'))

/** What a media service implements: method, path with parameters, operation. */
export const OPERATIONS = Object.entries(contract.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, operation]) =>
    method !== 'parameters' && !operation.tags.includes('signalpost')
      ? [
          {
            method: method.toUpperCase(),
            path,
            pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`),
            operation
          }
        ]
      : []
  )
)

/** With what it refers to in its place. No schema of the contract contains itself. */
function inlined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inlined)
  if (typeof value !== 'object' || value === null) return value
  const { $ref, ...members } = value as Schema
  const own = Object.fromEntries(Object.entries(members).map(([key, each]) => [key, inlined(each)]))
  if (typeof $ref !== 'string') return own
  return { ...(inlined(contract.components.schemas[$ref.split('/').at(-1) ?? '']) as object), ...own }
}

/** The types of the events or notices that a schema lists, in the order of the alphabet. */
export function typesIn(name: string): string[] {
  const { oneOf } = inlined(contract.components.schemas[name]) as { oneOf: readonly Listed[] }
  return [...new Set(oneOf.flatMap(({ properties }) => properties.type.enum))].sort()
}

interface Listed {
  readonly properties: { readonly type: { readonly enum: readonly string[] } }
}

const validators = new Map<string, ReturnType<typeof Compile>>()

/** The first faults of a value by the schema with this name. */
export function faultsOf(name: string, value: unknown): readonly unknown[] {
  const validator = validators.get(name) ?? Compile(inlined(contract.components.schemas[name]) as Schema)
  validators.set(name, validator)
  return validator.Errors(value).slice(0, 2)
}

export interface MediaReply {
  readonly status: number
  /** {} if there is none. */
  readonly body: Readonly<Record<string, unknown>>
}

export interface MediaClient {
  /** Rejects if the reply is not as the contract says. */
  call(method: string, path: string, body?: object): Promise<MediaReply>
}

export function mediaClient({ url, secret }: { readonly url: string; readonly secret: string }): MediaClient {
  return {
    async call(method, path, body) {
      const reply = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${secret}`, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {})
      })
      const text = await reply.text()
      const found = OPERATIONS.find(each => each.method === method && each.pattern.test(path))
      assert(found, `${method} ${path} is not in the contract`)
      const { operationId, responses } = found.operation
      const name = `${operationId} ${reply.status} ${text}`
      const declared = responses[String(reply.status)]
      assert(declared, `${name}: the contract does not have the status`)
      const response = declared.$ref ? contract.components.responses[declared.$ref.split('/').at(-1) ?? ''] : declared
      const schema = response?.content?.['application/json'].schema
      if (!schema) {
        assert.equal(text, '', `${name}: a body`)
        return { status: reply.status, body: {} }
      }
      const parsed = JSON.parse(text)
      assert.deepEqual(faultsOf(String(schema.$ref).split('/').at(-1) ?? '', parsed), [], name)
      return { status: reply.status, body: parsed }
    }
  }
}
