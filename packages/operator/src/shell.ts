// The page around the views: links, the view that the address names, its problems, and what was done last.
import { Problem } from '../../client/src/problem.js'
import { button, el, setAttribute, setText } from '../../page-parts/src/dom.js'
import { confirmThen } from './confirm.js'
import { createProblemBox, type ProblemBox } from './problem-box.js'
import { Refresher } from './refresher.js'
import { type AdminApi, isRefused } from './requests.js'
import type { Action, OpenView, Shell, View } from './view.js'

export interface ViewLink {
  /** The first part of the address behind `#`. */
  readonly path: string
  readonly name: string
  readonly open: OpenView
}

interface ShellOptions {
  readonly api: AdminApi
  readonly links: readonly [ViewLink, ...ViewLink[]]
  /** `problem`: why the secret is no longer accepted; null if the user of the page signs out. */
  signedOut(problem: unknown): void
}

/** The parts of the address behind `#`, decoded. */
export function readAddress(hash = location.hash): readonly string[] {
  try {
    return hash.slice(1).split('/').map(decodeURIComponent)
  } catch {
    return []
  }
}

/** Shows the view that the address names, and the next one when the address changes, until `signedOut` is called. */
export function openShell(header: HTMLElement, main: HTMLElement, { api, links, signedOut }: ShellOptions): void {
  const frame = createFrame(links)
  const closing = new AbortController()
  let refresher: Refresher | null = null
  const leave = (problem: unknown) => {
    closing.abort()
    refresher?.close()
    for (const each of frame.inHeader) each.remove()
    document.querySelector('dialog')?.close()
    signedOut(problem)
  }
  const fail = (error: unknown, box: ProblemBox) => {
    if (isRefused(error)) leave(error)
    else box.show(error)
  }
  const act = async ({ question, run }: Action) => {
    frame.say('')
    try {
      const done = question ? await confirmThen(question, run) : await run()
      if (done === null) return
      frame.say(done)
      await refresher?.now()
    } catch (error) {
      fail(error, frame.actionProblem)
    }
  }
  const shell: Shell = { api, act: action => void act(action), reread: () => void refresher?.now() }
  const navigate = (isFirst: boolean) => {
    refresher?.close()
    const [path, ...ids] = readAddress()
    const link = links.find(each => each.path === path) ?? links[0]
    const view = link.open(shell, ids)
    frame.show(view, link)
    if (!isFirst) frame.heading.focus()
    refresher = new Refresher(async signal => {
      try {
        await view.refresh(signal)
        if (!signal.aborted) frame.updated()
      } catch (error) {
        if (!isAborted(error)) fail(error, frame.viewProblem)
      }
    })
    refresher.isOn = frame.isLive()
    if (!frame.isLive()) void refresher.now()
  }
  frame.onLive(isOn => {
    if (refresher) refresher.isOn = isOn
  })
  const signOut = button('Sign out', () => leave(null))
  frame.inHeader.push(signOut)
  header.append(...frame.inHeader)
  main.replaceChildren(...frame.inMain)
  addEventListener('hashchange', () => navigate(false), { signal: closing.signal })
  navigate(true)
}

const isAborted = (error: unknown) => error instanceof Problem && error.code === 'aborted'

/** The elements that stay while views change. */
function createFrame(links: readonly ViewLink[]) {
  const anchors = links.map(({ path, name }) => el('a', { href: `#${path}` }, name))
  const nav = el('nav', { 'aria-label': 'Views' }, ...anchors)
  const heading = el('h2', { tabindex: '-1' })
  const time = el('span', { class: 'quiet' })
  const live = button('Refresh by itself', () => undefined, { 'aria-pressed': 'true' })
  const [actionProblem, viewProblem] = [createProblemBox(), createProblemBox()]
  const status = el('p', { class: 'done', role: 'status' })
  const place = el('div', { class: 'view' })
  const top = el('div', { class: 'row head' }, heading, el('div', { class: 'row end' }, time, live))
  const say = (text: string) => {
    setText(status, text)
    actionProblem.show(null)
  }
  return {
    heading,
    actionProblem,
    viewProblem,
    say,
    inHeader: [nav as HTMLElement],
    inMain: [top, status, actionProblem.element, viewProblem.element, place],
    isLive: () => live.getAttribute('aria-pressed') === 'true',
    onLive(changed: (isOn: boolean) => void) {
      live.addEventListener('click', () => {
        const isOn = live.getAttribute('aria-pressed') !== 'true'
        live.setAttribute('aria-pressed', String(isOn))
        changed(isOn)
      })
    },
    show(view: View, link: ViewLink) {
      for (const [i, each] of anchors.entries()) setAttribute(each, 'aria-current', links[i] === link ? 'page' : null)
      setText(heading, view.title)
      setText(time, '')
      document.title = `${link.name} · Signalpost operator`
      say('')
      viewProblem.show(null)
      place.replaceChildren(view.element)
    },
    updated() {
      viewProblem.show(null)
      setText(time, `As of ${new Date().toLocaleTimeString('sv-SE')}`)
    }
  }
}
