// The playground: two people who call each other, what goes over the wire, and the timeline of their call.
import { el, setText } from '../../page-parts/src/dom.js'
import { Person } from './person.js'
import { personCard } from './person-card.js'
import { roomCard } from './room-card.js'
import { createTabs } from './tabs.js'
import { timelineView } from './timeline-view.js'
import { askForToken } from './token-dialog.js'
import { mintToken, readFragment, readSettings, type ServerSettings } from './tokens.js'
import { Wire } from './wire.js'
import { wireView } from './wire-view.js'

/** With the hues of their pictures. */
const PEOPLE = [
  { name: 'alice', hue: 190 },
  { name: 'bob', hue: 280 }
] as const

const main = document.querySelector('main')

/** The same for this tab after a reload; another tab is another device. */
function deviceOfTab(): string {
  const kept = sessionStorage.getItem('device')
  const device = kept ?? `playground-${Math.random().toString(36).slice(2, 6)}`
  sessionStorage.setItem('device', device)
  return device
}

async function start(root: HTMLElement): Promise<void> {
  const settings = await readSettings()
  const fragment = readFragment()
  const wire = new Wire()
  const chosen = PEOPLE.filter(({ name }) => fragment.person === null || name === fragment.person)
  // Another name: a page for one person that is not one of the two.
  const shown = chosen.length > 0 ? chosen : [{ name: fragment.person ?? '', hue: 25 }]
  const tokens = new Map(fragment.tokens)
  const isAlone = shown.length === 1
  const people: Person[] = []
  for (const { name, hue } of shown) {
    const token = await tokenSource(name, settings, tokens)
    people.push(new Person({ name, hue, wire, token, device: deviceOfTab(), wantsCamera: isAlone }))
  }
  const cards = people.map(person =>
    personCard({
      person,
      peer: PEOPLE.find(({ name }) => name !== person.name)?.name ?? '',
      token: tokens.get(person.name) ?? null,
      hasLink: !isAlone
    })
  )
  const folder = `people${isAlone ? ' alone' : ''}`
  const cardsOfCall = el('div', { class: folder }, ...cards)
  const call = el(
    'div',
    { class: 'panel' },
    isAlone ? leadOfOne(people) : LEAD,
    cardsOfCall,
    timelineView(people, wire)
  )
  const room = el('div', { class: 'panel' }, ...roomView(people, { folder, settings }))
  const tabs = createTabs('Playground', [
    { name: 'Call', panel: call },
    { name: 'Room', panel: room }
  ])
  document.querySelector('h1')?.after(tabs)
  showCallers(people, tabs.querySelector('#tab-call'))
  root.replaceChildren(el('div', {}, call, room), wireView(wire, { people, hasToken: settings.mintsTokens }))
  for (const person of people) void person.connect()
}

/** What the page is, and what to press first. */
const LEAD = el(
  'p',
  { class: 'lead' },
  'Signalpost carries the signaling of WebRTC calls over plain HTTP. alice and bob are two of its users: press ',
  ...[
    el('b', {}, 'Call'),
    ' at alice, then ',
    el('b', {}, 'Answer'),
    ' at bob. Then break their network: the call goes on.'
  ]
)

function leadOfOne(people: readonly Person[]): HTMLElement {
  const name = people.map(person => person.name).join()
  return el('p', { class: 'lead' }, `This page is one device of ${name}. Call another user, or wait for a call.`)
}

/** Says on the tab of the calls who is calling, while another tab is shown. */
function showCallers(people: readonly Person[], tab: Element | null): void {
  const show = () => {
    const rings = people.find(({ liveCall }) => liveCall?.state === 'ringing' && liveCall.direction === 'incoming')
    const isHidden = tab?.getAttribute('aria-selected') === 'false'
    if (tab) setText(tab, rings && isHidden ? `Call: ${rings.liveCall?.peer?.user} is calling` : 'Call')
  }
  for (const person of people) person.on('changed', show)
  tab?.addEventListener('click', show)
}

/** All people of the page, and those of other pages, meet in one room. */
function roomView(people: readonly Person[], { folder, settings }: { folder: string; settings: ServerSettings }) {
  const name = el('input', { id: 'room-name', value: 'playground', autocomplete: 'off', spellcheck: 'false' })
  const { hasSfu } = settings
  const cards = people.map(person => roomCard({ person, roomId: () => name.value.trim(), hasSfu }))
  const field = el('div', { class: 'row' }, el('label', { for: name.id }, 'Room'), name)
  const modes = 'In mode p2p each sends to each other; in mode sfu, which needs a media service, each sends to that.'
  const lead = el('p', { class: 'lead' }, `All who join a room see each other, however many they are. ${modes}`)
  return [lead, field, el('div', { class: folder }, ...cards)]
}

async function tokenSource(name: string, { mintsTokens }: ServerSettings, tokens: Map<string, string>) {
  if (mintsTokens && !tokens.has(name)) return () => mintToken(name, deviceOfTab())
  if (!tokens.has(name)) tokens.set(name, await askForToken(name))
  return async () => tokens.get(name) ?? ''
}

if (main)
  start(main).catch(error => {
    main.replaceChildren(el('p', { class: 'problem', role: 'alert' }, `The playground cannot start: ${error}`))
  })
