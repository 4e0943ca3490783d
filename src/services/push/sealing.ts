// Encryption of what is stored about a device: AES-256-GCM with the first key of PUSH_KEY. All its keys decrypt. The user and device are
// additional data, so a text that was copied to another device does not open.
import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'
import { joinIds } from '../../id-text.js'
import type { Endpoint } from '../../schemas/common.js'

export interface Sealer {
  /** The key id, a full stop, and base64url of IV, ciphertext and tag. */
  seal(text: string, owner: Endpoint): string
  /** Null: none of the keys made it for this owner, or it was changed. */
  open(sealed: string, owner: Endpoint): string | null
}

const ALGORITHM = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16

/** @param keys base64 of 32 bytes each, at least one */
export function createSealer(keys: readonly string[]): Sealer {
  const secrets = keys.map(key => Buffer.from(key, 'base64'))
  const byId = new Map(secrets.map(secret => [keyIdOf(secret), secret]))
  const additionalData = ({ user, device }: Endpoint) => Buffer.from(joinIds(user, device))

  return {
    seal(text, owner) {
      const [secret = Buffer.alloc(0)] = secrets
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv(ALGORITHM, secret, iv, { authTagLength: TAG_BYTES }).setAAD(additionalData(owner))
      const parts = [iv, cipher.update(text, 'utf8'), cipher.final()]
      return `${keyIdOf(secret)}.${Buffer.concat([...parts, cipher.getAuthTag()]).toString('base64url')}`
    },
    open(sealed, owner) {
      const [id = '', encoded = ''] = sealed.split('.')
      const secret = byId.get(id)
      const bytes = Buffer.from(encoded, 'base64url')
      if (secret === undefined || bytes.length < IV_BYTES + TAG_BYTES) return null
      const decipher = createDecipheriv(ALGORITHM, secret, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
      decipher.setAAD(additionalData(owner)).setAuthTag(bytes.subarray(-TAG_BYTES))
      try {
        return decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
      } catch {
        return null
      }
    }
  }
}

const keyIdOf = (secret: Buffer): string => hash('sha256', secret, 'hex').slice(0, 8)
