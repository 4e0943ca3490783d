// Checks received events against the schemas of the wire contract.
import { Compile } from 'typebox/compile'
import { CALL_EVENTS } from '../../src/schemas/event.js'
import { PRESENCE_EVENTS } from '../../src/schemas/presence-event.js'
import { ROOM_EVENTS } from '../../src/schemas/room-event.js'
import { SFU_EVENTS } from '../../src/schemas/sfu-event.js'

const validators = new Map(
  [...CALL_EVENTS, ...ROOM_EVENTS, ...SFU_EVENTS, ...PRESENCE_EVENTS].map(schema => [
    String(schema.properties.type.const),
    Compile(schema)
  ])
)

/** The mistakes in an event; empty if it matches its schema. */
export function faultsOf(event: { readonly type: string }): string[] {
  const validator = validators.get(event.type)
  if (!validator) return [`${event.type} is not an event of the contract`]
  return validator.Errors(event).map(({ instancePath, message }) => `${event.type}${instancePath} ${message}`)
}
