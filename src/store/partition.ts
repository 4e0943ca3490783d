// Maps an id to one of the 256 partitions. The function must never change: all keys would move.

export const PARTITIONS = 256

export const partitionOf = (id: string): number => hashOf(id) & (PARTITIONS - 1)

/** 32 bits: FNV-1a over the UTF-16 units, then MurmurHash3's final mix, because FNV's low byte alone is uneven. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
