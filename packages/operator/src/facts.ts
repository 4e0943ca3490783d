// A list of names and values that is shown again and again. Only what changes is written.
import { el, setText } from '../../page-parts/src/dom.js'

export type Fact = readonly [name: string, value: string | null]

export interface Facts {
  readonly element: HTMLElement
  /** Those without a value are left out. The order is that of the first time. */
  show(facts: readonly Fact[]): void
}

export function createFacts(): Facts {
  const element = el('dl', { class: 'facts' })
  const values = new Map<string, { readonly pair: HTMLElement; readonly value: HTMLElement }>()
  const show = (facts: readonly Fact[]) => {
    for (const [name, text] of facts) {
      const known = values.get(name)
      const value = known?.value ?? el('dd')
      const pair = known?.pair ?? el('div', {}, el('dt', {}, name), value)
      if (!known) element.append(pair)
      values.set(name, { pair, value })
      setText(value, text ?? '')
      pair.toggleAttribute('hidden', text === null || text === '')
    }
  }
  return { element, show }
}
