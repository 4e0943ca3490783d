// What a view is, and what the page around it does for it.
import type { Question } from './confirm.js'
import type { AdminApi } from './requests.js'

export interface Part {
  readonly element: HTMLElement
  /** Reads again what it shows. @throws Problem */
  refresh(signal: AbortSignal): Promise<void>
}

export interface View extends Part {
  readonly title: string
}

export interface Action {
  /** Asked before it is done; without it, it is done at once. */
  readonly question?: Question
  /** Resolves to what was done, for the status line. */
  run(): Promise<string>
}

export interface Shell {
  readonly api: AdminApi
  /** Does it, says so, and reads the view again. Failures are shown. */
  act(action: Action): void
  reread(): void
}

/** Makes a view for what stands in the address behind its first part: the ids of what it shows. */
export type OpenView = (shell: Shell, ids: readonly string[]) => View
