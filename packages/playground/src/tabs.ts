// Tabs, as the ARIA Authoring Practices describe them: the arrow keys move between them.
import { el } from '../../page-parts/src/dom.js'

export interface Tab {
  readonly name: string
  readonly panel: HTMLElement
}

/** Returns the list of the tabs. The one that was selected last is selected again after a reload. */
export function createTabs(label: string, tabs: readonly Tab[]): HTMLElement {
  const buttons = tabs.map(({ name, panel }) => {
    const id = name.toLowerCase()
    panel.id = `panel-${id}`
    panel.setAttribute('role', 'tabpanel')
    panel.setAttribute('aria-labelledby', `tab-${id}`)
    return el('button', { type: 'button', role: 'tab', id: `tab-${id}`, 'aria-controls': panel.id }, name)
  })
  const select = (selected: number) => {
    sessionStorage.setItem('tab', tabs[selected]?.name ?? '')
    for (const [i, each] of buttons.entries()) {
      each.setAttribute('aria-selected', String(i === selected))
      each.tabIndex = i === selected ? 0 : -1
    }
    for (const [i, { panel }] of tabs.entries()) panel.hidden = i !== selected
  }
  const list = el('div', { class: 'tabs', role: 'tablist', 'aria-label': label }, ...buttons)
  for (const [i, each] of buttons.entries()) each.addEventListener('click', () => select(i))
  list.addEventListener('keydown', event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    const focused = buttons.indexOf(document.activeElement as HTMLButtonElement)
    if (step === undefined || focused < 0) return
    const next = (focused + step + buttons.length) % buttons.length
    select(next)
    buttons[next]?.focus()
  })
  const kept = tabs.findIndex(({ name }) => name === sessionStorage.getItem('tab'))
  select(Math.max(0, kept))
  return list
}
