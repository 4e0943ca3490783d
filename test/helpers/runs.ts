// How many random inputs a property gets.

/**
 * `runs` in an ordinary run, which takes new inputs each time and prints the seed of one that fails. `FUZZ_FACTOR=20` for a long search.
 */
export const randomRuns = (runs: number): number => Math.ceil(runs * Number(process.env.FUZZ_FACTOR ?? 1))
