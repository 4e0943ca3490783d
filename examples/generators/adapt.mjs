// Adapts the OpenAPI document in version 3.0 to what the C and Rust generators of openapi-generator cannot do:
//
//   curl -s http://127.0.0.1:8080/openapi-3.0.json | node adapt.mjs c >c.json
//
// c: the code does not compile with nullable enums, lists of enums, values with a dot, or two Bearer schemes. Enums become strings, and the
// operators' metrics are left out. rust: a union with a discriminator loses `type`, which its members need. The union has none.
import { readFileSync } from 'node:fs'

const document = JSON.parse(readFileSync(0, 'utf8'))
const adapt = { c, rust }[process.argv[2] ?? '']
if (adapt === undefined) throw new Error('usage: node adapt.mjs c|rust <openapi-3.0.json')
adapt()
process.stdout.write(JSON.stringify(document))

function c() {
  withoutEnums(document)
  delete document.paths['/metrics']
  delete document.components.securitySchemes.operator
}

function withoutEnums(value) {
  if (typeof value !== 'object' || value === null) return
  if (value.type === 'string' && Array.isArray(value.enum)) delete value.enum
  for (const member of Object.values(value)) withoutEnums(member)
}

function rust() {
  delete document.components.schemas.Event.discriminator
}
