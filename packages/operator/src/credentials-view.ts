// Credentials of devices, of all users or of one: enrolling, replacing a key, and revoking.
import { button, el } from '../../page-parts/src/dom.js'
import type { CredentialView } from './api.js'
import { quoted, showText } from './confirm.js'
import { createListing } from './listing.js'
import { part } from './requests.js'
import type { RowAction } from './table.js'
import { timeText } from './texts.js'
import type { OpenView, Part, Shell } from './view.js'

export const openDevices: OpenView = shell => ({ title: 'Devices with credentials', ...credentialsPart(shell, null) })

/** `user`: null for all users. */
export function credentialsPart(shell: Shell, user: string | null): Part {
  const { api, reread } = shell
  const listing = createListing<CredentialView>({
    ...{ caption: 'Device credentials', empty: 'No device has a credential.' },
    ...{ cursor: 'after', reread },
    keyOf: owner => JSON.stringify([owner.user, owner.device]),
    columns: [
      ...(user === null
        ? [{ head: 'User', text: (each: Owner) => each.user, href: (each: Owner) => `#users/${part(each.user)}` }]
        : []),
      { head: 'Device', text: ({ device }) => device },
      { head: 'Proves itself by', text: proofText },
      { head: 'Since', text: ({ createdAt }) => timeText(createdAt) },
      { head: 'Last used', text: ({ usedAt }) => timeText(usedAt) }
    ],
    actions: owner => [
      ...(['code', 'key'] as const).map(
        (method): RowAction => ({
          label: `New ${method}`,
          name: `New ${method} for ${owner.device} of ${owner.user}`,
          run: () => enroll(shell, owner, method)
        })
      ),
      {
        label: 'Revoke',
        name: `Revoke ${owner.device} of ${owner.user}`,
        isDangerous: true,
        run: () => revoke(shell, owner)
      }
    ],
    read: async (query, signal) => {
      const path = '/admin/device-credentials'
      const { credentials, next } = await api.send('GET', path, {
        query: { ...query, ...(user !== null && { user }) },
        signal
      })
      return { rows: credentials, next }
    }
  })
  const element = el('section', { class: 'card stack' }, el('h3', {}, 'Device credentials'), listing.element)
  element.append(enrollForm(shell, user))
  return { element, refresh: listing.refresh }
}

type Owner = Pick<CredentialView, 'user' | 'device'>
type Method = 'code' | 'key'

function proofText({ publicKey, keys, codeExpiresInMs }: CredentialView): string {
  const parts = [
    publicKey === null ? '' : `public key ${publicKey.slice(0, 8)}…`,
    ['', '256-bit key', 'two 256-bit keys, until the newer is used'][keys],
    codeExpiresInMs === null ? '' : 'code not used yet'
  ]
  return parts.filter(Boolean).join(', ') || 'nothing any more'
}

function enrollForm(shell: Shell, user: string | null): HTMLElement {
  const [owner, device] = [field('enroll-user', 'User'), field('enroll-device', 'Device')]
  const key = el('input', { id: 'enroll-key', autocomplete: 'off', spellcheck: 'false', placeholder: 'none' })
  const form = el('form', { class: 'row find', 'aria-label': 'Enroll a device' })
  form.append(...(user === null ? owner.elements : []), ...device.elements)
  form.append(el('label', { for: key.id }, 'Public key'), key)
  form.append(
    button('Create code', () => undefined, { type: 'submit', value: 'code' }),
    button('Create 256-bit key', () => undefined, { type: 'submit', value: 'key' }),
    button('Set public key', () => undefined, { type: 'submit', value: 'public' })
  )
  form.addEventListener('submit', event => {
    event.preventDefault()
    const named = { user: user ?? owner.input.value, device: device.input.value }
    const chosen = (event.submitter as HTMLButtonElement | null)?.value
    if (chosen === 'public') setPublicKey(shell, named, key.value)
    else enroll(shell, named, chosen === 'key' ? 'key' : 'code')
  })
  return form
}

function field(id: string, label: string) {
  const input = el('input', { id, required: true, autocomplete: 'off', spellcheck: 'false' })
  return { input, elements: [el('label', { for: id }, label), input] }
}

const pathOf = ({ user, device }: Owner) => `/admin/users/${part(user)}/devices/${part(device)}` as const
const nameOf = ({ user, device }: Owner) => ['Device ', quoted(device), ' of ', quoted(user)]

const EFFECTS: Readonly<Record<Method, string>> = {
  code: ' can enroll with the code that you see next, once, within ten minutes. What it has is valid until then.',
  key: ' proves itself with the key that you see next. A public key or a code ends now, an earlier 256-bit key with the first use of the new one.'
}

function enroll({ api, act }: Shell, owner: Owner, method: Method): void {
  const question = {
    title: method === 'code' ? 'Create an enrollment code?' : 'Create a 256-bit key?',
    text: [...nameOf(owner), EFFECTS[method]],
    label: 'Create'
  }
  const run = async () => {
    const secret =
      method === 'code'
        ? (await api.send('POST', `${pathOf(owner)}/enrollment-codes`)).code
        : (await api.send('POST', `${pathOf(owner)}/keys`)).key
    showText(method === 'code' ? 'Enrollment code' : '256-bit key', secret)
    return 'It is shown this once.'
  }
  act({ question, run })
}

function setPublicKey({ api, act }: Shell, owner: Owner, publicKey: string): void {
  const text = [...nameOf(owner), ' proves itself with this public key. Any other key or code that it has ends now.']
  const run = async () => {
    await api.send('PUT', `${pathOf(owner)}/credential`, { body: { publicKey } })
    return 'The public key is set.'
  }
  act({ question: { title: 'Set this public key?', text, label: 'Set key' }, run })
}

function revoke({ api, act }: Shell, owner: Owner): void {
  const text = [...nameOf(owner), ' gets no tokens any more and is signed out. Enroll it again to undo this.']
  const run = async () => {
    await api.send('DELETE', `${pathOf(owner)}/credential`)
    return 'The credential is revoked.'
  }
  act({ question: { title: 'Revoke this credential?', text, label: 'Revoke' }, run })
}
