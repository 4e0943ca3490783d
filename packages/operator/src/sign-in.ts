// Asks for the secret of an operator. It is kept for this tab only, and never in the address.
import { button, el } from '../../page-parts/src/dom.js'
import { createProblemBox } from './problem-box.js'
import { AdminApi } from './requests.js'

const KEY = 'operator.secret'

export const keptSecret = (): string | null => sessionStorage.getItem(KEY)

export const forgetSecret = (): void => sessionStorage.removeItem(KEY)

interface SignInOptions {
  /** Why the last secret is no longer accepted; null if there was none. */
  readonly problem: unknown
  signedIn(api: AdminApi): void
}

/** Returns the form. The secret is kept once the server has accepted it. */
export function signInForm({ problem, signedIn }: SignInOptions): HTMLElement {
  const box = createProblemBox()
  const input = el('input', {
    id: 'secret',
    type: 'password',
    required: true,
    autocomplete: 'off',
    spellcheck: 'false'
  })
  const hint = el(
    'p',
    { id: 'secret-hint', class: 'quiet' },
    'One of the secrets in ADMIN_SECRET or, if ADMIN_ROLE is set, a token of your identity provider that has this role. It stays in this tab until you sign out or close it.'
  )
  input.setAttribute('aria-describedby', hint.id)
  const submit = button('Sign in', () => undefined, { type: 'submit', class: 'primary' })
  const form = el('form', { class: 'card sign-in', 'aria-labelledby': 'sign-in-title' })
  form.append(
    el('h2', { id: 'sign-in-title' }, 'Sign in'),
    el('label', { for: input.id }, 'Secret or token'),
    input,
    hint
  )
  form.append(box.element, submit)
  let isChecking = false
  form.addEventListener('submit', async event => {
    event.preventDefault()
    if (isChecking) return
    isChecking = true
    const secret = input.value.trim()
    const api = new AdminApi(secret)
    try {
      await api.check()
      sessionStorage.setItem(KEY, secret)
      signedIn(api)
    } catch (error) {
      box.show(error)
      input.select()
    }
    isChecking = false
  })
  box.show(problem)
  return form
}
