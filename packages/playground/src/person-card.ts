// The card of a person: picture, buttons, chat, and switches.

import type { Call } from '../../client/src/index.js'
import { button, el, setText } from '../../page-parts/src/dom.js'
import { createChat } from './chat.js'
import { faultPanel } from './fault-panel.js'
import type { Person } from './person.js'
import { linkOf } from './tokens.js'
import { transferRow } from './transfer-row.js'

export interface CardOptions {
  readonly person: Person
  /** Whom the person calls if no other name is given. */
  readonly peer: string
  /** Null: the link needs no token, because the server makes them. */
  readonly token: string | null
  /** Whether to offer a link to this person on another device. */
  readonly hasLink: boolean
}

const CONNECTION_TEXTS = {
  connecting: 'connecting',
  live: 'live stream',
  polling: 'long-poll',
  offline: 'offline',
  closed: 'disconnected'
} as const

export function personCard({ person, peer, token, hasLink }: CardOptions): HTMLElement {
  const { name } = person
  const badge = el('span', { class: 'badge', role: 'status', 'aria-label': `Connection of ${name}` })
  const link = el('a', { href: linkOf(name, token), target: '_blank', rel: 'noopener' })
  link.append('Open on another device', el('span', { class: 'hidden-text' }, `: open ${name} there`))
  const title = el('h2', { id: `name-${encodeURIComponent(name)}` }, name)
  const head = el('header', {}, title, badge, ...(hasLink ? [link] : []))
  const problem = el('p', { class: 'problem', role: 'alert' })
  const open = el('a', { target: '_blank', rel: 'noopener' })
  const lack = el('p', { class: 'lack', role: 'status', 'aria-label': `Camera of ${name}` })
  const parts = [stage(person), controls(person, peer), transferRow(person), chat(person)]
  const panel = faultPanel(person)
  const card = el('section', { class: `card person hue-${person.hue}`, 'aria-labelledby': title.id })
  card.append(head, ...parts.map(({ element }) => element), lack, problem, open, panel.element)
  const render = () => {
    const { connection } = person
    const isGone = connection === 'connecting' && person.network.isServerGone
    setText(badge, isGone ? 'server not reached, trying again' : CONNECTION_TEXTS[connection])
    badge.dataset.state = isGone ? 'offline' : connection
    setText(problem, person.problem)
    open.hidden = person.unreachable === ''
    open.href = linkOf(person.unreachable, null)
    setText(open, `Open ${person.unreachable} in another window, then call again`)
    setText(lack, person.picture?.lack ? `${person.picture.lack}: ${name} sends a generated picture` : '')
    for (const part of [...parts, panel]) part.render()
  }
  person.on('changed', render)
  render()
  return card
}

interface Part {
  readonly element: HTMLElement
  render(): void
}

// ── Pictures ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function stage(person: Person): Part {
  const remote = el('video', {
    class: 'remote',
    autoplay: true,
    playsinline: true,
    'aria-label': `What ${person.name} sees`
  })
  const local = el('video', {
    class: 'local',
    autoplay: true,
    playsinline: true,
    'aria-label': `What ${person.name} sends`
  })
  // Two people on one page would hear each other through the loudspeaker.
  for (const video of [remote, local]) video.muted = true
  const text = el('p', { class: 'state', role: 'status' })
  const element = el('div', { class: 'stage' }, remote, local, text)
  const render = () => {
    const { liveCall, picture } = person
    show(remote, liveCall?.state === 'ringing' ? null : (liveCall?.remoteStream ?? null))
    show(local, liveCall || person.isDialing ? (picture?.stream ?? null) : null)
    setText(text, describe(person))
    element.dataset.state = person.isDialing ? 'ringing' : (person.call?.state ?? 'idle')
  }
  return { element, render }
}

function show(video: HTMLVideoElement, stream: MediaStream | null): void {
  if (video.srcObject !== stream) video.srcObject = stream
  video.hidden = stream === null
}

export function describe(person: Person): string {
  const { call, isDialing } = person
  if (!call || (isDialing && call.state === 'ended')) return isDialing ? 'Calling…' : 'Ready'
  if (call.state === 'ended') return `Call ended: ${call.reason?.replaceAll('_', ' ')}`
  const peer = call.peer?.user
  if (call.state === 'ringing')
    return call.direction === 'incoming'
      ? describeIncoming(call)
      : `Calling ${call.callees.map(status).join(', ') || peer}…`
  if (call.state === 'connecting') return 'Connecting…'
  if (person.isAway) return `${peer} has lost the connection`
  return call.held.local || call.held.remote ? 'On hold' : `In a call with ${peer}`
}

function describeIncoming({ peer, startedBy, transferredBy }: Call): string {
  if (startedBy) return `The operator asks you to call ${peer?.user}`
  return `${peer?.user} is calling${transferredBy ? `, transferred by ${transferredBy.user}` : ''}`
}

/** Of one of several callees. */
const status = ({ user, state, reason }: Call['callees'][number]) => {
  const what = (reason ?? state).replaceAll('_', ' ')
  return what === 'ringing' ? user : `${user} (${what})`
}

// ── Buttons ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function controls(person: Person, peer: string): Part {
  const { name } = person
  const to = el('input', {
    value: peer,
    'aria-label': `Whom ${name} calls`,
    title: 'One user, or several with commas: the first who answers is in the call',
    autocomplete: 'off',
    spellcheck: 'false',
    required: true
  })
  const dial = el('form', { class: 'row' }, to, el('button', { class: 'primary' }, 'Call'))
  dial.addEventListener('submit', event => {
    event.preventDefault()
    void person.dial(to.value.trim())
  })
  const hangUp = button('Hang up', () => person.hangUp(), { class: 'danger' })
  const answer = button('Answer', () => person.answer(), { class: 'primary' })
  const decline = button('Decline', () => person.hangUp(), { class: 'danger' })
  const microphone = toggle('Mute', () => person.mute('audio'))
  const camera = toggle('Picture off', () => person.mute('video'))
  const hold = toggle('Hold', () => person.act(async () => person.liveCall?.hold(!person.liveCall.held.local)))
  const sound = toggle('Sound', () => toggleSound(element, sound))
  // Of the server's reasons to end a connection for good, such as another page that took over the device.
  const connect = button('Connect again', () => person.connect())
  const source = toggle('Use camera', () => person.toggleCamera())
  const element = el(
    'div',
    { class: 'row controls' },
    connect,
    dial,
    source,
    answer,
    decline,
    microphone,
    camera,
    hold,
    sound,
    hangUp
  )
  const render = () => {
    const { liveCall, isDialing } = person
    const rings = liveCall?.state === 'ringing' && liveCall.direction === 'incoming'
    const talks = liveCall !== null && liveCall.state !== 'ringing'
    keepFocus(element, () => {
      const isClosed = person.connection === 'closed' && person.problem !== ''
      connect.hidden = !isClosed
      for (const each of [dial, source]) each.hidden = isClosed || liveCall !== null || isDialing
      for (const each of [answer, decline]) each.hidden = !rings
      for (const each of [microphone, camera, hold, sound]) each.hidden = !talks
      hangUp.hidden = !talks && !(isDialing || liveCall?.direction === 'outgoing')
    })
    setText(hangUp, talks ? 'Hang up' : 'Cancel')
    press(microphone, person.muted.audio)
    press(camera, person.muted.video)
    press(hold, liveCall?.held.local ?? false)
    hold.disabled = liveCall?.state !== 'connected'
    press(source, person.wantsCamera)
  }
  return { element, render }
}

const toggle = (label: string, act: () => unknown) => button(label, act, { 'aria-pressed': 'false' })

const press = (element: Element, isPressed: boolean) => element.setAttribute('aria-pressed', String(isPressed))

function toggleSound(controls: HTMLElement, sound: HTMLElement): void {
  const remote = controls.parentElement?.querySelector<HTMLVideoElement>('video.remote')
  if (!remote) return
  remote.muted = !remote.muted
  press(sound, !remote.muted)
}

/** A button that is hidden while it has the focus gives that to the first one that is shown. */
function keepFocus(element: HTMLElement, change: () => void): void {
  const focused = element.contains(document.activeElement) ? (document.activeElement as HTMLElement) : null
  change()
  if (!focused || focused.closest('[hidden]') === null) return
  const shown = [...element.querySelectorAll<HTMLElement>('button')].find(each => each.closest('[hidden]') === null)
  shown?.focus()
}

// ── Chat ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

function chat(person: Person): Part {
  const { name } = person
  const labels = { lines: `Messages of ${name}`, field: `Message of ${name}` }
  const { list, form, add, clear } = createChat({ labels, send: text => person.say(text) })
  const element = el('div', { class: 'chat' }, list, form)
  const render = () => {
    const { liveCall, lines } = person
    form.hidden = liveCall === null || liveCall.state === 'ringing'
    element.hidden = form.hidden && lines.length === 0
    list.hidden = lines.length === 0
    if (list.childElementCount > lines.length) clear()
    for (const { from, text } of lines.slice(list.childElementCount)) add(from, text)
  }
  return { element, render }
}
