// Encryption of push subscriptions.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createSealer } from '../../src/services/push/sealing.js'

const newKey = () => randomBytes(32).toString('base64')
const [old, next] = [newKey(), newKey()]
const owner = { user: 'a|b/é', device: 'phone' }
const TEXT = '{"type":"fcm","token":"é"}'

t.test('a sealed text opens for its owner only, and shows nothing of itself', async t => {
  const { seal, open } = createSealer([old])
  const sealed = seal(TEXT, owner)
  t.equal(open(sealed, owner), TEXT)
  t.not(seal(TEXT, owner), sealed, 'each has an IV of its own')
  t.notMatch(Buffer.from(sealed.split('.')[1] ?? '', 'base64url').toString('latin1'), 'fcm')
  t.equal(open(sealed, { ...owner, device: 'tablet' }), null)
  t.equal(open(sealed, { ...owner, user: 'mallory' }), null)
  t.equal(open(sealed, { user: 'a|b', device: 'é/phone' }), null)
})

t.test('a text that was changed does not open', async t => {
  const { seal, open } = createSealer([old])
  const [id = '', encoded = ''] = seal(TEXT, owner).split('.')
  const bytes = Buffer.from(encoded, 'base64url')
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes)
    changed[i] = (changed[i] ?? 0) ^ 1
    t.equal(open(`${id}.${changed.toString('base64url')}`, owner), null)
  }
  for (const text of ['', id, `${id}.`, `${id}.AAAA`, `.${encoded}`, encoded]) t.equal(open(text, owner), null)
})

t.test('the first key encrypts, and all keys decrypt', async t => {
  const before = createSealer([old]).seal(TEXT, owner)
  const rotating = createSealer([next, old])
  t.equal(rotating.open(before, owner), TEXT)
  const after = rotating.seal(TEXT, owner)
  t.equal(createSealer([next]).open(after, owner), TEXT)
  t.equal(createSealer([old]).open(after, owner), null)
  t.equal(createSealer([next]).open(before, owner), null)
})
