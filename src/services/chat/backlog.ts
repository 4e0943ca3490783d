// For the metrics: the age of the oldest message that this node has seen waiting for the chat service.

export interface Backlog {
  /** `oldestAt`: when the oldest message of the room that waits was sent; null: none waits. */
  record(roomId: string, oldestAt: number | null, now: number): void
  ageMs(now: number): number
}

/** A room that was not recorded again for `forgetAfterMs` is served by another node, which records it. */
export function createBacklog(forgetAfterMs: number): Backlog {
  const rooms = new Map<string, { readonly oldestAt: number; readonly seenAt: number }>()
  return {
    record(roomId, oldestAt, now) {
      if (oldestAt === null) rooms.delete(roomId)
      else rooms.set(roomId, { oldestAt, seenAt: now })
    },
    ageMs(now) {
      let age = 0
      for (const [roomId, { oldestAt, seenAt }] of rooms) {
        if (now - seenAt > forgetAfterMs) rooms.delete(roomId)
        else age = Math.max(age, now - oldestAt)
      }
      return age
    }
  }
}
