export interface Example {
  readonly body?: unknown
  readonly reply?: unknown
}
export const EXAMPLES: Readonly<Record<string, Example>> = {}
export const PROBLEM_EXAMPLES: Readonly<Record<string, object>> = {}
