import { createPublicKey, verify } from 'node:crypto'
import t from 'tap'
import * as rules from '../../src/domain/credential/credential.js'
import { formatCode, readCode } from '../../src/domain/credential/enrollment-code.js'
import { signedBytes } from '../../src/domain/credential/signed-bytes.js'
import { isPublicKey, isSignedBy, matchingDigest } from '../../src/services/credentials/proofs.js'
import { TestDeviceKey } from '../helpers/device-key.js'

const DAY = 86_400_000
const { setPublicKey, addKey, addCode, redeemCode, recordUse, expiryOf, isUsable } = rules

t.test('what an operator sets replaces what was there, and voids a code', async t => {
  const withCode = addCode(setPublicKey(null, 'A', 1), 'digest', 2)
  t.match(withCode, { publicKey: 'A', keyDigests: [], code: { digest: 'digest', redeemedBy: null }, createdAt: 1 })
  t.match(setPublicKey(withCode, 'B', 3), { publicKey: 'B', keyDigests: [], code: null, createdAt: 1, usedAt: 3 })
  t.match(addKey(withCode, 'k1', 3), { publicKey: null, keyDigests: ['k1'], code: null, createdAt: 1, usedAt: 3 })
  t.match(setPublicKey(addKey(null, 'k1', 1), 'B', 3), { publicKey: 'B', keyDigests: [] })
})

t.test('a 256-bit key is valid until the newest one is used, however many are made meanwhile', async t => {
  const two = addKey(addKey(addKey(null, 'k1', 1), 'k2', 2), 'k3', 3)
  t.strictSame(two.keyDigests, ['k3', 'k1'])
  t.equal(recordUse(two, 'k1', 4), two, 'the older one')
  t.strictSame(recordUse(two, 'k3', 4).keyDigests, ['k3'])
})

t.test('a code is redeemed once, with one key, in its time', async t => {
  const state = addCode(addKey(null, 'k1', 0), 'right', 1000)
  const redeem = (known: rules.CredentialState | null, digest: string, publicKey: string, now = 2000) =>
    redeemCode(known, { digest, publicKey }, now)
  t.equal(redeem(null, 'right', 'A'), null)
  t.equal(redeem(setPublicKey(null, 'A', 1), 'right', 'A'), null, 'without a code')
  t.equal(redeem(state, 'wrong', 'A'), null)
  t.equal(redeem(addCode(state, 'newer', 1500), 'right', 'A'), null, 'replaced by a newer one')
  t.equal(redeem(state, 'right', 'A', 1000 + rules.ENROLLMENT_CODE_TTL_MS), null, 'expired')
  const enrolled = redeem(state, 'right', 'A')
  if (enrolled === null) throw new Error('the code was refused')
  t.match(enrolled, { publicKey: 'A', keyDigests: [], createdAt: 0, usedAt: 2000 })
  t.equal(redeem(enrolled, 'right', 'A', 3000), enrolled, 'a repeat by the same key')
  t.equal(redeem(enrolled, 'right', 'B', 3000), null, 'another key')
  t.equal(redeem({ ...enrolled, publicKey: 'B' }, 'right', 'A', 3000), null, 'a repeat after the key was changed')
  t.equal(redeem(setPublicKey(enrolled, 'A', 3), 'right', 'A', 3000), null, 'a repeat after an operator set the key')
})

t.test('use is recorded once a day, and what is not used for a year expires', async t => {
  const state = setPublicKey(null, 'A', 0)
  t.equal(recordUse(state, null, DAY - 1), state)
  t.equal(recordUse(state, null, DAY).usedAt, DAY)
  t.equal(expiryOf(state), 365 * DAY)
  t.equal(expiryOf(addCode(state, 'x', 5)), 365 * DAY)
  const onlyCode = addCode(null, 'x', 5)
  t.notOk(isUsable(onlyCode))
  t.equal(expiryOf(onlyCode), 5 + rules.ENROLLMENT_CODE_TTL_MS, 'a code alone')
})

t.test('a code is read as people type it', async t => {
  const code = formatCode(Uint8Array.from({ length: 28 }, (_, n) => n * 9))
  t.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}$/)
  const plain = code.replaceAll('-', '')
  for (const typed of [code, plain, code.toLowerCase(), ` ${code.replaceAll('-', ' ')}\t`])
    t.equal(readCode(typed), plain, typed)
  t.equal(readCode(`oOiIlL${'A'.repeat(22)}`), `001111${'A'.repeat(22)}`)
  for (const wrong of ['', plain.slice(1), `${plain}0`, `U${plain.slice(1)}`, `_${plain.slice(1)}`])
    t.equal(readCode(wrong), null, wrong)
})

t.test('the bytes that are signed are those of the guide', async t => {
  const key = new TestDeviceKey('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A')
  const raw = Buffer.from(key.publicKey, 'base64url')
  const message = signedBytes('enroll', ['7KQ2M4XA0TRB9WSEHC6N1VJD8YPG', raw])
  t.equal(
    message.toString('hex'),
    '7369676e616c706f73742d6465766963652d656e726f6c6c2d763100' +
      '001c374b51324d34584130545242395753454843364e31564a44385950470020' +
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
  )
  t.equal(key.sign(message), 'OSt78Y3Rht64FEJXGyhZrS3iShDwa2QgJO9ZnGmoIzB2Pn0dtYU0zmEUmhDCGeQhTPvDPIysjgiP3XNqyDc_Cw')
  const distinct = [
    signedBytes('token', ['n', 'alice', 'phone']),
    signedBytes('token', ['n', 'alicep', 'hone']),
    signedBytes('token', ['na', 'lice', 'phone']),
    signedBytes('key', ['n', 'alice', 'phone']),
    signedBytes('token', ['n', 'alice', 'phone', ''])
  ]
  t.equal(new Set(distinct.map(bytes => bytes.toString('hex'))).size, distinct.length)
  t.equal(
    signedBytes('token', ['x'.repeat(300)])
      .subarray(27, 29)
      .toString('hex'),
    '012c',
    'the high byte of a length'
  )
})

/** A point of order 8, and the y coordinate of the other one. */
const ORDER_8 = '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'
const OTHER_ORDER_8 = 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'
/** y = p + n with p = 2^255 - 19, for n from 0 to 18: all that fit into 255 bits. */
const BEYOND_P = Array.from({ length: 19 }, (_, n) => `${(0xed + n).toString(16)}${'ff'.repeat(30)}7f`)

t.test('a public key for which anyone can sign is refused', async t => {
  const identity = Buffer.from(`01${'00'.repeat(31)}`, 'hex')
  const forged = Buffer.concat([identity, Buffer.alloc(32)])
  const weak = [
    ...['00', '01'].map(first => `${first}${'00'.repeat(31)}`),
    `ec${'ff'.repeat(30)}7f`,
    ...BEYOND_P.slice(0, 2),
    ...[ORDER_8, OTHER_ORDER_8]
  ]
  let forgeable = 0
  for (const point of weak.flatMap(hex => [hex, withSign(hex)])) {
    t.notOk(isPublicKey(toText(point)), point)
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: toText(point) }, format: 'jwk' })
    const messages = Array.from({ length: 40 }, (_, n) => Buffer.from(`${n}`))
    if (messages.some(message => verify(null, message, key, forged))) forgeable++
  }
  t.ok(forgeable >= 5, `${forgeable} of them verify a forged signature`)
})

t.test('a public key is the one encoding of a point of the curve, in the one text of it', async t => {
  const { publicKey } = new TestDeviceKey('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A')
  t.ok(isPublicKey(publicKey))
  for (let n = 0; n < 20; n++) t.ok(isPublicKey(new TestDeviceKey().publicKey))
  const invalid: readonly (readonly [string, string])[] = [
    ...BEYOND_P.flatMap(hex => [hex, withSign(hex)]).map(hex => ['y is not below p', toText(hex)] as const),
    ...['02', '07', '08', '0b'].map(first => ['off the curve', toText(`${first}${'00'.repeat(31)}`)] as const),
    ['x is 0 and has a sign', toText(withSign(`01${'00'.repeat(31)}`))],
    ['x is 0 and has a sign', toText(withSign(`ec${'ff'.repeat(30)}7f`))],
    ['31 bytes', toText('11'.repeat(31))],
    ['33 bytes', toText('11'.repeat(33))],
    ['padding', `${publicKey}=`],
    ['a bit after the last byte', `${publicKey.slice(0, -1)}p`],
    ['base64', publicKey.replaceAll('_', '/')],
    ['a space', ` ${publicKey}`],
    ['empty', '']
  ]
  for (const [why, text] of invalid) t.notOk(isPublicKey(text), `${why}: ${text}`)
})

const toText = (hex: string) => Buffer.from(hex, 'hex').toString('base64url')

/** The same y with the other x. */
function withSign(hex: string): string {
  const bytes = Buffer.from(hex, 'hex')
  return Buffer.concat([bytes.subarray(0, 31), Buffer.from([(bytes[31] ?? 0) | 128])]).toString('hex')
}

t.test('a proof is that of the key, and none fits a device without one', async t => {
  const [key, other] = [new TestDeviceKey(), new TestDeviceKey()]
  const message = Buffer.from('message')
  t.ok(isSignedBy(key.publicKey, message, key.sign(message)))
  t.notOk(isSignedBy(other.publicKey, message, key.sign(message)))
  t.notOk(isSignedBy(null, message, key.sign(message)))
  t.notOk(isSignedBy(null, message, new TestDeviceKey('xapGdTWqXtAHVnXjAkVmr4pQZVnnxCeiXgmdUKRi5P0').sign(message)))
  t.notOk(isSignedBy(key.publicKey, message, ''))
  const state = addKey(addKey(null, 'not-a-digest-of-anything-at-all-but-43-long', 1), '', 2)
  t.equal(matchingDigest(null, ''), null, 'the digest of nothing stands for a key that is not there')
  t.throws(() => matchingDigest({ ...state, keyDigests: ['short'] }, 'x'), 'digests have one length')
})
