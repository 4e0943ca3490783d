// A device's record as text, in the order that lua/record.lua writes. Read here only where no script is needed.
import type { DeviceState } from '../store.js'

const RECORD =
  /^\d+\|[^|]*\|\d+\|[^|]*\|[^|]*\|(?<seen>\d+)\|(?<online>\d+)\|(?<connection>[^|]*)\|\d*\|\d+\|[01]\|(?<status>.*)$/s

interface Age {
  readonly now: number
  readonly retentionMs: number
}

/** Null if the record has expired. */
export function toDeviceState(device: string, text: string, { now, retentionMs }: Age): DeviceState | null {
  const parts = RECORD.exec(text)?.groups
  if (!parts || Number(parts.seen) + retentionMs < now) return null
  const online = parts.connection !== '' && Number(parts.online) > now
  return {
    device,
    online,
    onlineUntil: online ? Number(parts.online) : 0,
    seenAt: Number(parts.seen),
    left: parts.connection === '' && Number(parts.online) > 0,
    status: parts.status ?? '',
    connection: parts.connection ?? ''
  }
}
