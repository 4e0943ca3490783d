// Elements, made in one expression.

type Listener = (event: Event) => void
type Props = Readonly<Record<string, string | number | boolean | null | Listener>>
type Child = Node | string

const SVG = 'http://www.w3.org/2000/svg'

/** Functions are listeners (`onclick`), booleans are attributes without a value, and null is left out. */
export function el<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, props: Props = {}, ...children: Child[]) {
  return fill(document.createElement(tag), props, children)
}

export function svg<Tag extends keyof SVGElementTagNameMap>(tag: Tag, props: Props = {}, ...children: Child[]) {
  return fill(document.createElementNS(SVG, tag), props, children)
}

function fill<E extends Element>(element: E, props: Props, children: Child[]): E {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value)
    else if (typeof value === 'boolean') element.toggleAttribute(name, value)
    else if (value !== null) element.setAttribute(name, String(value))
  }
  element.append(...children)
  return element
}

export function button(label: string, act: () => unknown, props: Props = {}): HTMLButtonElement {
  return el('button', { type: 'button', ...props, onclick: act as Listener }, label)
}

/** Sets the text only if it changes: a live region would be read again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** Sets the attribute only if it changes; null removes it. */
export function setAttribute(element: Element, name: string, value: string | null): void {
  if (element.getAttribute(name) === value) return
  if (value === null) element.removeAttribute(name)
  else element.setAttribute(name, value)
}
