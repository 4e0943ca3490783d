// A stamp as text in Redis: `<version>:<tag>`, or '' for an aggregate that does not exist.
import type { Stamp } from '../aggregate.js'

export const formatStamp = (stamp: Stamp | null): string => (stamp === null ? '' : `${stamp.version}:${stamp.tag}`)

export function parseStamp(text: string): Stamp {
  const colon = text.indexOf(':')
  return { version: Number(text.slice(0, colon)), tag: text.slice(colon + 1) }
}
