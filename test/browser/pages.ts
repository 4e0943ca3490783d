// The example's pages on a server of their own, and what lies between each of them and Signalpost.
import type { Test } from 'tap'
import { run } from '../helpers/child-process.js'
import { type Gate, openGate } from './gate.js'
import type { Tab } from './tab.js'

export interface Place<T extends Tab = Tab> {
  readonly tab: T
  /** All that the tab and the server say to each other goes through it. */
  readonly gate: Gate
}

export interface Pages {
  readonly origin: string
  /** What to open to be signed in as somebody; `page` is a path such as `/room.html`. */
  linkOf(user: string, page: string): string
}

/** As the example's own server does; it prints a link for everybody. */
export async function servePages(t: Test): Promise<Pages> {
  const server = run(t, process.execPath, ['examples/browser/serve.mjs', '0'])
  const text = await server.prints(/carol +http\S+\n/)
  const printed = [...text.matchAll(/^ +(\w+) +(http\S+)$/gm)]
  return {
    origin: /CORS_ORIGINS=(\S+)/.exec(text)?.[1] ?? '',
    linkOf(user, page) {
      const link = printed.find(([, name, link = '']) => name === user && new URL(link).pathname === page)?.[2]
      if (link === undefined) throw new Error(`there is no link to ${page} for ${user} in ${text}`)
      return link
    }
  }
}

/** Somebody at a server, by way of a gate that nothing else goes through. */
export async function takePlace<T extends Tab>(
  t: Test,
  url: string | undefined,
  open: (at: Gate) => Promise<T>
): Promise<Place<T>> {
  const gate = await openGate(t, url ?? '')
  return { gate, tab: await open(gate) }
}

/** Nothing is missing, nothing came twice, and nothing went unnoticed. */
export async function holdLogs(t: Test, ...places: readonly Place[]): Promise<void> {
  for (const { tab } of places) {
    const taken = await tab.places()
    t.same(
      taken,
      taken.map((_, index) => index + 1)
    )
    t.same(tab.faults, [])
  }
}
