// Who sends what to whom: `{ isSent, participantId, source, kind, isPaused, stats }`, without a participant for what is sent to the media service. The
// statistics of WebRTC name the tracks.

/** `tracks`: what the room has reported as `track`, in a Map; `paused`: the ids of producers that are paused. */
export async function reportMedia(connections, room, { tracks: received, paused }) {
  const reports = await Promise.all([...connections].map(connection => connection.getStats()))
  const tracks = new Map([...received.values()].map(each => [each.track.id, each]))
  return reports.flatMap(stats => [...rowsReceived(stats, tracks, paused), ...rowsSent(stats, room, tracks)])
}

function rowsReceived(stats, tracks, paused) {
  const inbound = [...stats.values()].filter(({ type }) => type === 'inbound-rtp')
  return inbound.flatMap(each => {
    const known = tracks.get(each.trackIdentifier)
    if (!known) return []
    const { participant, source, producerId } = known
    const row = { isSent: false, participantId: participant.participantId, source, kind: each.kind }
    return [{ ...row, isPaused: paused.has(producerId), stats: new Map([[each.id, each]]) }]
  })
}

/** In mode p2p a connection leads to the participant whose tracks it carries. */
function rowsSent(stats, room, tracks) {
  const all = [...stats.values()]
  const other = all.map(({ trackIdentifier }) => tracks.get(trackIdentifier)?.participant.participantId).find(Boolean)
  const participantId = room.mode === 'p2p' ? other : undefined
  return [...room.publications].flatMap(({ track, source, isPaused }) => {
    const sources = all.filter(({ type, trackIdentifier }) => type === 'media-source' && trackIdentifier === track.id)
    const sent = all.filter(each => each.type === 'outbound-rtp' && sources.some(({ id }) => id === each.mediaSourceId))
    if (sent.length === 0) return []
    return [
      {
        isSent: true,
        participantId,
        source,
        kind: track.kind,
        isPaused,
        stats: new Map(sent.map(each => [each.id, each]))
      }
    ]
  })
}
