// Switches that break the network of one person, and what became of its events.
import { button, el, setText } from '../../page-parts/src/dom.js'
import type { Person } from './person.js'

/** Less than the time in which the first event of a stream has to arrive: it may come together with candidates. */
const DELAY_MS = 2000
const OFFLINE_MS = 5000

export function faultPanel(person: Person): { element: HTMLElement; render(): void } {
  const { network } = person
  const drop = button('Drop my stream', () => network.dropStream())
  const offline = button('Offline for 5 s', async () => {
    const back = network.goOffline(OFFLINE_MS)
    render()
    await back
    render()
  })
  const poll = flag('Hold streams back, as a proxy that buffers', isOn => {
    network.holdsStreams = isOn
    network.dropStream()
  })
  const delay = flag('Delay candidates by 2 s, sent and received', isOn => {
    network.candidateDelayMs = isOn ? DELAY_MS : 0
  })
  const healing = el('p', { class: 'healing', role: 'status', 'aria-label': `What became of it for ${person.name}` })
  const counts = el('p', { class: 'counts' })
  const element = el(
    'details',
    { class: 'faults' },
    el('summary', {}, 'Break the network ', el('span', { class: 'hidden-text' }, `for ${person.name}`)),
    el('div', { class: 'row' }, drop, offline),
    healing,
    poll,
    delay,
    counts
  )
  const render = () => {
    offline.disabled = network.isOffline
    setText(offline, network.isOffline ? 'Offline…' : 'Offline for 5 s')
    setText(healing, person.healing.text)
    healing.hidden = person.healing.text === ''
    const { events, repeats, streams } = network.counts
    setText(
      counts,
      `${many(events, 'event')}, ${repeats} repeated, ${many(person.resets, 'gap')} · ${many(streams, 'stream')} opened`
    )
  }
  return { element, render }
}

const many = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

function flag(label: string, set: (isOn: boolean) => void): HTMLElement {
  const box = el('input', { type: 'checkbox' })
  box.addEventListener('change', () => set(box.checked))
  return el('label', { class: 'flag' }, box, label)
}
