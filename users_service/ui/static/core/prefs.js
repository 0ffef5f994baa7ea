/** What this browser remembers of the reader's choices. It never holds a secret. */

const PREFIX = "users_service:";

/**
 * @template T
 * @param {string} name
 * @param {T} otherwise where nothing is remembered, or the browser does not let us
 * @returns {T}
 */
export function remembered(name, otherwise) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

/**
 * @param {string} name
 * @param {unknown} value undefined to forget it
 */
export function remember(name, value) {
  try {
    if (value === undefined) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Without storage, a choice holds until the page is left.
  }
}
