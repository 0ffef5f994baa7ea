/** Keeps the keyboard where the reader is, while what is there is made anew. */

const CONTROLS = "button, summary, a[href], input, select, textarea, [tabindex]";

/**
 * Change what is in an element. If the keyboard was in it, it goes to the control of the same name
 * or at the same place, or else to the heading of the view.
 * @param {Element} element
 * @param {() => void} change
 */
export function keepFocus(element, change) {
  const before = document.activeElement;
  if (!before || before === document.body || !element.contains(before)) {
    change();
    return;
  }
  const isAlike = (/** @type {Element | undefined} */ each) => each && keyOf(each) === key;
  const index = controlsIn(element).indexOf(before);
  const key = keyOf(before);
  change();
  if (before === document.activeElement && isUsable(before)) return;
  const now = controlsIn(element);
  const same = isAlike(now[index]) ? now[index] : now.find(isAlike);
  focusOn(same ?? now[Math.min(index, now.length - 1)]);
}

/**
 * Give the keyboard to an element; to the heading of the view, if it is gone or takes none.
 * @param {Element | null | undefined} element
 */
export function focusOn(element) {
  const target = element && isUsable(element) ? element : document.querySelector("h1");
  if (target instanceof HTMLElement) target.focus();
}

/** @param {Element} element */
function controlsIn(element) {
  return [...element.querySelectorAll(CONTROLS)].filter(isUsable);
}

/** @param {Element} element */
function isUsable(element) {
  return element.isConnected && element.checkVisibility() && !element.matches(":disabled");
}

/**
 * What a control is, and how it is called.
 * @param {Element} element
 */
function keyOf(element) {
  const { labels } = /** @type {HTMLInputElement} */ (element);
  const name = element.getAttribute("aria-label") ?? labels?.[0]?.textContent ?? element.textContent;
  return `${element.localName} ${name}`;
}
