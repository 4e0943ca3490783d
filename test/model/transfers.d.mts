export declare const RULES: Readonly<Record<string, string>>
export declare const SCENARIOS: Readonly<Record<string, object>>
export declare function explore(
  scenario: string,
  rule?: string
): { readonly states: number; readonly swaps: number; readonly violation: string | null }
