// @signalpost/client/stats: reports how calls are connected. A file of its own: a page that does not want it loads nothing.
import type { ConnectionStats } from './api.js'
import type { Call, Signalpost } from './index.js'

/** The first round trips of a pair are measured by then. */
const FIRST_MS = 2000
const AGAIN_MS = 60_000

/**
 * Reports the connection of a call, for the call record of the operator (`POST /v1/calls/{callId}/connected {stats}`): soon after it is connected,
 * and each minute until it ends. A report that fails is left out.
 */
export function reportStats(
  client: Pick<Signalpost, 'request'>,
  call: Call,
  { firstMs = FIRST_MS, againMs = AGAIN_MS } = {}
): void {
  let timer: ReturnType<typeof setTimeout> | undefined

  async function report(): Promise<void> {
    timer = setTimeout(report, againMs)
    try {
      const stats = call.peerConnection && statsOf(await call.peerConnection.getStats())
      if (!stats || call.state !== 'connected') return
      await client.request('POST', `/calls/${encodeURIComponent(call.id)}/connected`, { stats })
    } catch {
      // The next one may succeed.
    }
  }

  const begin = () => {
    timer = setTimeout(report, firstMs)
  }
  if (call.state === 'connected') begin()
  else call.once('connected', begin)
  call.once('ended', () => clearTimeout(timer))
}

interface Statistics {
  readonly [member: string]: unknown
}

/** Null: no pair of candidates is selected. */
export function statsOf(report: RTCStatsReport): ConnectionStats | null {
  const all = [...(report as unknown as Map<string, Statistics>).values()]
  const pair = selectedPair(all)
  const find = (id: unknown) => all.find(each => each.id === id)
  const [local, remote] = [find(pair?.localCandidateId), find(pair?.remoteCandidateId)]
  if (!pair || !local || !remote) return null
  const { currentRoundTripTime: seconds } = pair
  const { protocol, relayProtocol, candidateType } = local
  return {
    candidatePair: { local: candidateType, remote: remote.candidateType },
    protocol,
    ...(relayProtocol ? { relayProtocol } : {}),
    ...(typeof seconds === 'number' ? { rttMs: Math.round(seconds * 1000) } : {})
  } as ConnectionStats
}

/** Firefox has no `transport`, and says `selected` of a pair. */
function selectedPair(all: readonly Statistics[]): Statistics | undefined {
  const transport = all.find(({ type, selectedCandidatePairId: id }) => type === 'transport' && id)
  return all.find(({ id, selected }) => (transport ? id === transport.selectedCandidatePairId : selected))
}
