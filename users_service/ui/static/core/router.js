/** Where the reader is: the URL leads to a view, and views lead to URLs. */

import { h } from "./dom.js";

/**
 * @typedef {object} Place
 * @property {string[]} segments those of the path below the UI
 * @property {URLSearchParams} query
 */

/** @type {string} */
let base = "";
/** @type {(place: Place) => void} */
let show = () => {};
/** @type {() => Promise<boolean>} */
let mayLeave = async () => true;
/** The reader's answer, while it is waited for. @type {Promise<boolean> | null} */
let asked = null;
let current = "";

/**
 * Say where the UI is, before any link is made.
 * @param {string} url the path of the UI, without a slash at its end
 */
export function locate(url) {
  base = url;
}

/** @param {(place: Place) => void} onPlace is called with each place that is gone to */
export function start(onPlace) {
  show = onPlace;
  current = location.href;
  window.addEventListener("popstate", arrive);
  window.addEventListener("beforeunload", (event) => {
    if (guarded) event.preventDefault();
  });
  show(here());
}

/** @returns {Place} */
export function here() {
  const segments = location.pathname.slice(base.length).split("/").filter(Boolean);
  return { segments: segments.map(decoded), query: new URLSearchParams(location.search) };
}

/** @param {string} segment */
function decoded(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/**
 * The URL of a place.
 * @param {string[]} segments
 * @param {URLSearchParams} [query]
 */
export function urlOf(segments, query) {
  const text = query?.toString() ?? "";
  const path = segments.map(encodeURIComponent).join("/");
  return `${base}/${path}${text ? `?${text}` : ""}`;
}

let guarded = false;

/**
 * Ask before the reader leaves what is not saved.
 * @param {(() => Promise<boolean>) | null} ask tells whether to leave; null where there is nothing
 *   to lose
 */
export function guard(ask) {
  guarded = ask !== null;
  mayLeave = ask ?? (async () => true);
}

/** Ask once, though the reader may try again to leave. */
function answer() {
  asked ??= mayLeave().finally(() => {
    asked = null;
  });
  return asked;
}

/**
 * Go to a URL of the UI.
 * @param {string} url
 * @param {{replace?: boolean}} [options] whether it takes the place of this one in the history
 */
export async function go(url, options = {}) {
  if (!(await answer())) return;
  guard(null);
  if (options.replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  current = location.href;
  show(here());
}

/**
 * Note a URL for what is shown already, such as a sorted list.
 * @param {string} url
 * @param {{replace?: boolean}} [options]
 */
export function note(url, options = {}) {
  if (options.replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  current = location.href;
}

async function arrive() {
  const wanted = location.href;
  if (guarded) {
    const isAsked = asked !== null;
    history.pushState(null, "", current); // stay until the reader has chosen
    if (isAsked || !(await answer())) return;
    guard(null);
    history.pushState(null, "", wanted);
  }
  current = location.href;
  show(here());
}

/**
 * A link within the UI.
 * @param {string} url
 * @param {Record<string, any>} attributes
 * @param {...import("./dom.js").Child} children
 */
export function link(url, attributes, ...children) {
  const follow = (/** @type {MouseEvent} */ event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void go(url);
  };
  return h("a", { href: url, onclick: follow, ...attributes }, ...children);
}
