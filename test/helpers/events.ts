// Holds what was received against the wire contract: every event must be one of the contract's, with nothing added.
import { Compile } from 'typebox/compile'
import { CALL_EVENTS } from '../../src/schemas/event.js'
import { PRESENCE_EVENTS } from '../../src/schemas/presence-event.js'
import { ROOM_EVENTS } from '../../src/schemas/room-event.js'

const validators = new Map(
  [...CALL_EVENTS, ...ROOM_EVENTS, ...PRESENCE_EVENTS].map(schema => [
    String(schema.properties.type.const),
    Compile(schema)
  ])
)

/** What is wrong with an event; empty when it is as the contract says. */
export function faultsOf(event: { readonly type: string }): string[] {
  const validator = validators.get(event.type)
  if (!validator) return [`${event.type} is no event of the contract`]
  return validator.Errors(event).map(({ instancePath, message }) => `${event.type}${instancePath} ${message}`)
}
