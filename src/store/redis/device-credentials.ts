// Credentials of devices in Redis: for each partition a hash of them, and a sorted set of when they expire. Codes and used nonces are strings
// that expire by the clock of Redis.
import { joinIds } from '../../id-text.js'
import { type DeviceCredentials, pageOfOwners, shareOf, toOwner } from '../device-credentials.js'
import { partitionOf } from '../partition.js'
import type { RunCommand } from './clients.js'
import { credentialKeys, enrollmentCodeKey, usedNonceKey } from './keys.js'
import { replaceCredential } from './scripts.js'

const STATUS = { OK: 'written', CHANGED: 'changed', FULL: 'full' } as const

export function createRedisDeviceCredentials(runCommand: RunCommand): DeviceCredentials {
  const hashOf = (user: string) => credentialKeys(partitionOf(user)).credentials
  return {
    async get({ user, device }, now) {
      return liveText(await runCommand(client => client.hget(hashOf(user), joinIds(user, device))), now)
    },
    async replace({ user, device }, { expected, next, expiresAt }, { now, max }) {
      const { credentials, expiries } = credentialKeys(partitionOf(user))
      const args = [joinIds(user, device), expected ?? '', next ?? '', expiresAt, now, shareOf(max)]
      return STATUS[await replaceCredential(runCommand, [credentials, expiries], args)]
    },
    async list(page, now) {
      const names = await pageOfOwners(page, partition =>
        runCommand(client => client.hkeys(credentialKeys(partition).credentials))
      )
      const found = names.map(async name => {
        const owner = toOwner(name)
        const text = liveText(await runCommand(client => client.hget(hashOf(owner.user), name)), now)
        return text === null ? [] : [{ ...owner, text }]
      })
      return (await Promise.all(found)).flat()
    },
    async putCode(digest, { user, device }, ttlMs) {
      await runCommand(client => client.set(enrollmentCodeKey(digest), joinIds(user, device), 'PX', ttlMs))
    },
    async findCode(digest) {
      const joined = await runCommand(client => client.get(enrollmentCodeKey(digest)))
      return joined === null ? null : toOwner(joined)
    },
    async useNonce(nonce, ttlMs) {
      return (await runCommand(client => client.set(usedNonceKey(nonce), '1', 'PX', ttlMs, 'NX'))) !== null
    }
  }
}

/** The format of lua/credential_replace.lua. */
function liveText(found: string | null, now: number): string | null {
  if (found === null) return null
  const end = found.indexOf('\n')
  return Number(found.slice(0, end)) > now ? found.slice(end + 1) : null
}
