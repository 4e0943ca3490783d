// Keeps the end of a list in view.

/** In px. */
const NEAR_END = 40

export interface Following {
  /** Call it when rows were added or have changed their size. */
  follow(): void
  /** Shows the end, and follows it from now on. */
  toEnd(): void
}

/** Keeps the end in view, also when the list changes its size, unless the user has scrolled up, or has opened a row, to read. */
export function followEnd(list: HTMLElement, changed: (isFollowing: boolean) => void = () => undefined): Following {
  let isFollowing = true
  const show = () => {
    list.scrollTop = list.scrollHeight
  }
  const set = (isAtEnd: boolean) => {
    if (isFollowing === isAtEnd) return
    isFollowing = isAtEnd
    changed(isFollowing)
  }
  const look = () => set(list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END)
  list.addEventListener('scroll', look)
  /** A row was opened or closed, and has not changed its size yet. */
  let isToggling = false
  const onToggle = () => {
    isToggling = true
    requestAnimationFrame(() => {
      isToggling = false
      look()
    })
  }
  // A row that its user opens stays where it is. The event does not bubble, and the row grows after it.
  list.addEventListener('toggle', onToggle, { capture: true })
  const follow = () => {
    if (isFollowing && !isToggling) show()
  }
  const toEnd = () => {
    set(true)
    show()
  }
  new ResizeObserver(follow).observe(list)
  return { follow, toEnd }
}
