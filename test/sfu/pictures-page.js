// Runs in the room page: what it decodes of the other participants' cameras. `connections` are all of its peer connections (tab.ts).

/** Nothing of a connection that is closed. In Firefox getStats never settles if the connection is closed meanwhile. */
function statsOf(connection) {
  if (connection.signalingState === 'closed') return new Map()
  const nothing = new Promise(resolve => setTimeout(resolve, 2000, new Map()))
  return Promise.race([nothing, connection.getStats().catch(() => nothing)])
}

globalThis.pictures = {
  /** By user: the track, how many of its frames were decoded, and the width of the picture. */
  async now() {
    const streams = new Map()
    for (const connection of connections)
      for (const each of (await statsOf(connection)).values())
        if (each.type === 'inbound-rtp' && each.kind === 'video') streams.set(each.trackIdentifier, each)
    const tiles = [...document.querySelectorAll('.tile[data-user]:not(.own)')]
    return Object.fromEntries(
      tiles.map(tile => {
        const track = tile.querySelector('video').srcObject?.getVideoTracks()[0]?.id ?? null
        const { framesDecoded = 0, frameWidth = 0 } = streams.get(track) ?? {}
        return [tile.dataset.user, { track, frames: framesDecoded, width: frameWidth }]
      })
    )
  },

  /** Frames of exactly these users arrive, on other tracks than `before`. */
  areOf: (users, before) => now =>
    Object.keys(now).sort().join() === [...users].sort().join() &&
    users.every(user => now[user].track && now[user].track !== before[user]?.track && now[user].frames >= 5),

  /** More frames have arrived on the tracks of `before`. */
  goOnFrom: before => now =>
    Object.entries(before).every(
      ([user, { track, frames }]) => now[user]?.track === track && now[user].frames >= frames + 10
    ),

  isWider: (user, than) => now => now[user]?.width > than,

  isNarrower: (user, than) => now => now[user]?.width > 0 && now[user].width < than,

  /** Resolves to null when the condition holds, and after `withinMs` to what the page receives. */
  async until(holds, withinMs) {
    for (const end = performance.now() + withinMs; ; ) {
      const now = await this.now()
      if (holds(now)) return null
      if (performance.now() > end) return now
      await new Promise(resolve => setTimeout(resolve, 200))
    }
  }
}
