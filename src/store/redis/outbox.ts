// An entry of an outbox stream, as aggregate_commit and room_commit write it.
import type { OutboxEntry, OutboxItem } from '../aggregate.js'
import type { StreamEntry } from './scripts.js'

/** `<version>-0`, with the fields i (items as JSON), c (committed at), t (tag). */
export function toOutboxEntry([id, fields]: StreamEntry): OutboxEntry {
  return {
    version: Number.parseInt(id, 10),
    tag: fields[5] ?? '',
    items: JSON.parse(fields[1] ?? '[]') as OutboxItem[]
  }
}
