// Where the tokens of the people come from: the server in development mode, the address of the page, or the user of the page.

export interface ServerSettings {
  /** The server makes tokens for any user: it is in development mode. */
  readonly mintsTokens: boolean
  /** Rooms can be in mode sfu: a media service is configured. */
  readonly hasSfu: boolean
}

/** Of the server, without a slash at the end: where the page is. */
export const SERVER_URL = new URL('.', location.href).href.replace(/\/$/, '')

export async function readSettings(): Promise<ServerSettings> {
  const response = await fetch(`${SERVER_URL}/playground/settings`)
  return (await response.json()) as ServerSettings
}

/** Resolves to a token for the user. @throws Error with the reason */
export async function mintToken(user: string, device: string): Promise<string> {
  const response = await fetch(`${SERVER_URL}/playground/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, device })
  })
  const { token, title } = (await response.json()) as { token?: string; title?: string }
  if (token === undefined) throw new Error(title ?? `HTTP status ${response.status}`)
  return token
}

/** What the address says behind its `#`: `person=bob` for one person only, `bob=<token>` for the token of one. */
export function readFragment(hash = location.hash): { person: string | null; tokens: ReadonlyMap<string, string> } {
  const parameters = new URLSearchParams(hash.slice(1))
  const person = parameters.get('person')
  parameters.delete('person')
  return { person, tokens: new Map(parameters) }
}

/** The address of the page with one of the people. */
export function linkOf(person: string, token: string | null): string {
  const parameters = new URLSearchParams({ person, ...(token !== null && { [person]: token }) })
  return `${SERVER_URL}/#${parameters}`
}
