/** Makes elements. Texts are set as text and never as markup. */

/** @typedef {Node | string | number | null | undefined | false | any[]} Child */

// What is set as a property: as attributes these are only the first values.
const PROPERTIES = new Set(["value", "checked", "disabled", "indeterminate", "hidden", "open"]);

/**
 * Make an element.
 * @param {string} tag
 * @param {Record<string, any>} [attributes] functions named `on…` are listeners; null, undefined and
 *   false leave an attribute out, true sets it empty
 * @param {...Child} children
 * @returns {any} the element, of the class of its tag
 */
export function h(tag, attributes = {}, ...children) {
  /** @type {any} */
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (PROPERTIES.has(name)) element[name] = value;
    else if (value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  return fill(element, ...children);
}

/**
 * Put children into an element, in place of those that it has.
 * @template {Element} T
 * @param {T} element
 * @param {...Child} children
 * @returns {T}
 */
export function fill(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/**
 * @param {Child[]} children
 * @returns {(Node | string)[]}
 */
function flat(children) {
  /** @type {(Node | string)[]} */
  const found = [];
  for (const child of children) {
    if (Array.isArray(child)) found.push(...flat(child));
    else if (child instanceof Node) found.push(child);
    else if (child !== null && child !== undefined && child !== false) found.push(String(child));
  }
  return found;
}

/**
 * Show a text of the data: its direction is its own, and does not reach what is around it.
 * @param {unknown} text
 */
export function data(text) {
  return h("bdi", {}, String(text));
}

let count = 0;

/** Make an id for an element that others refer to. */
export function newId() {
  count += 1;
  return `e${count}`;
}

/**
 * A button that does something.
 * @param {string} text
 * @param {(event: Event) => void} act
 * @param {Record<string, any>} [attributes]
 * @returns {HTMLButtonElement}
 */
export function button(text, act, attributes = {}) {
  return h("button", { type: "button", onclick: act, ...attributes }, text);
}
