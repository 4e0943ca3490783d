// Holds what was received against the wire contract: every event of a call must be one of CALL_EVENTS, with nothing added.
import { Compile } from 'typebox/compile'
import { CALL_EVENTS } from '../../src/schemas/event.js'

const validators = new Map(CALL_EVENTS.map(schema => [String(schema.properties.type.const), Compile(schema)]))

/** What is wrong with an event; empty when it is as the contract says. */
export function faultsOf(event: { readonly type: string }): string[] {
  const validator = validators.get(event.type)
  if (!validator) return [`${event.type} is no event of a call`]
  return validator.Errors(event).map(({ instancePath, message }) => `${event.type}${instancePath} ${message}`)
}
