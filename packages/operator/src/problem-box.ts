// Shows why something failed, as the problem of the server says it: title, detail and code.
import { Problem } from '../../client/src/problem.js'
import { el } from '../../page-parts/src/dom.js'

export interface ProblemBox {
  readonly element: HTMLElement
  /** Null: nothing has failed. */
  show(error: unknown): void
}

interface Texts {
  readonly title: string
  readonly detail: string
  readonly code: string
}

/** A screen reader reads it once, although the same problem may be shown again. */
export function createProblemBox(): ProblemBox {
  const element = el('div', { class: 'problem', role: 'alert' })
  let shown = ''
  const show = (error: unknown) => {
    const texts = error === null ? null : textsOf(error)
    const text = JSON.stringify(texts)
    if (text === shown) return
    shown = text
    if (texts === null) return element.replaceChildren()
    const { title, detail, code } = texts
    element.replaceChildren(el('p', {}, el('b', {}, title), ' ', el('code', {}, code)))
    if (detail !== '') element.append(el('p', {}, detail))
  }
  return { element, show }
}

/** The reply of a proxy that does not reach the server, and no reply at all, have no problem of the server. */
function textsOf(error: unknown): Texts {
  if (!(error instanceof Problem)) return { title: 'The page has a fault', detail: String(error), code: 'internal' }
  const { body, code, message, retryAfterMs } = error
  if (body === null) return { title: 'The server cannot be reached', detail: message, code }
  const detail = body.detail === body.title ? '' : body.detail
  const wait = retryAfterMs === null ? '' : `Try again in ${Math.ceil(retryAfterMs / 1000)} s`
  return { title: body.title, detail: [detail, wait].filter(Boolean).join('. '), code }
}
