// Dialogs: one that asks before something is changed, and one that shows a text.
import { button, el } from '../../page-parts/src/dom.js'
import { createProblemBox } from './problem-box.js'
import { isRefused } from './requests.js'

type Text = readonly (Node | string)[]

export interface Question {
  readonly title: string
  /** What happens, and to whom. */
  readonly text: Text
  /** The button that does it. */
  readonly label: string
}

/** An id or another text of a user, within a sentence: its direction of writing does not change what stands around it. */
export const quoted = (text: string): HTMLElement => el('bdi', {}, el('code', {}, text))

/**
 * Asks, does it, and shows why it failed; then it can be tried again. Resolves to its result; null if the answer was no. Rejects if the
 * secret is refused.
 */
export function confirmThen<Result>(
  { title, text, label }: Question,
  run: () => Promise<Result>
): Promise<Result | null> {
  const box = createProblemBox()
  const cancel = button('Cancel', () => dialog.close(), { autofocus: true })
  const confirm = button(label, () => attempt(), { class: 'danger' })
  const dialog = openDialog(title, el('p', {}, ...text), box.element, el('div', { class: 'row' }, cancel, confirm))
  let isRunning = false
  let attempt: () => Promise<void> = async () => undefined
  return new Promise((resolve, reject) => {
    dialog.addEventListener('close', () => resolve(null))
    attempt = async () => {
      if (isRunning) return
      isRunning = true
      box.show(null)
      try {
        resolve(await run())
        dialog.close()
      } catch (error) {
        box.show(error)
        if (!isRefused(error)) return
        reject(error)
        dialog.close()
      } finally {
        isRunning = false
      }
    }
  })
}

/** Shows a text as it is, such as JSON. */
export function showText(title: string, text: string): void {
  const close = button('Close', () => dialog.close(), { autofocus: true })
  const dialog = openDialog(
    title,
    el('pre', { tabindex: '0', 'aria-label': title }, text),
    el('div', { class: 'row' }, close)
  )
}

/** It is removed when it closes; the browser gives the focus back to where it was. */
function openDialog(title: string, ...content: Node[]): HTMLDialogElement {
  const heading = el('h2', { id: 'dialog-title' }, title)
  const dialog = el('dialog', { 'aria-labelledby': heading.id }, el('div', { class: 'stack' }, heading, ...content))
  dialog.addEventListener('close', () => dialog.remove())
  document.body.append(dialog)
  dialog.showModal()
  return dialog
}
