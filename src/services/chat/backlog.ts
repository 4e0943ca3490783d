// How old the oldest message is that this node has seen waiting for the chat service.

export interface Backlog {
  /** Seen when a room was looked at; null: nothing waits any more. */
  record(roomId: string, oldestAt: number | null, now: number): void
  ageMs(now: number): number
}

/** What was not looked at again for so long is looked at by another node, which tells of it. */
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
