export declare const RULES: Readonly<Record<string, string>>
export declare const SCENARIOS: Readonly<Record<string, object>>
export declare function explore(
  scenario: string,
  rule?: string,
  crashes?: number
): { readonly states: number; readonly attempts: number; readonly violation: string | null }
