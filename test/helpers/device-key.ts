// The key of a device, and what it signs.
import { createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto'
import { readCode } from '../../src/domain/credential/enrollment-code.js'
import { signedBytes } from '../../src/domain/credential/signed-bytes.js'

const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')

export class TestDeviceKey {
  readonly publicKey: string
  readonly #privateKey

  /** @param seed base64url of 32 bytes */
  constructor(seed = randomBytes(32).toString('base64url')) {
    const der = Buffer.concat([PKCS8_HEAD, Buffer.from(seed, 'base64url')])
    this.#privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    this.publicKey = createPublicKey(this.#privateKey).export({ format: 'jwk' }).x ?? ''
  }

  sign(message: Buffer): string {
    return sign(null, message, this.#privateKey).toString('base64url')
  }

  /** The body of `enrollDevice`. */
  enrollment(code: string) {
    const message = signedBytes('enroll', [readCode(code) ?? code, Buffer.from(this.publicKey, 'base64url')])
    return { code, publicKey: this.publicKey, signature: this.sign(message) }
  }

  /** The body of `createDeviceToken`. */
  tokenRequest({ user, device }: { user: string; device: string }, nonce: string) {
    return { user, device, nonce, signature: this.sign(signedBytes('token', [nonce, user, device])) }
  }

  /** The body of `setDeviceKey`: this key is replaced. */
  replacement({ user, device }: { user: string; device: string }, next: TestDeviceKey) {
    const message = signedBytes('key', [user, device, Buffer.from(next.publicKey, 'base64url')])
    return { publicKey: next.publicKey, signature: next.sign(message), currentSignature: this.sign(message) }
  }
}
