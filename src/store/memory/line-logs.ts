import type { Clock } from '../../clock.js'
import type { LineLogs } from '../line-logs.js'
import { ExpiringMap } from './expiring-map.js'

export function createMemoryLineLogs(clock: Clock): LineLogs & { size(): number; sweep(now: number): void } {
  const logs = new ExpiringMap<readonly string[]>(clock)
  return {
    async add(id, lines, { max, keepMs }) {
      logs.set(id, [...(logs.get(id) ?? []), ...lines].slice(-max), clock.now() + keepMs)
    },
    list: async (id, limit) => (logs.get(id) ?? []).slice(-limit),
    size: () => logs.size,
    sweep: now => logs.sweep(now)
  }
}
