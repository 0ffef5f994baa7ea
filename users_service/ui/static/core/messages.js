/** Short messages: shown for a while, and read out by screen readers. */

import { button, h } from "./dom.js";
import { focusOn } from "./focus.js";
import { has, t } from "./i18n.js";
import { ApiError } from "./api.js";

// Seconds for which a message without a choice is shown.
const SHOWN = 8;

// Messages without a choice at once; an older one goes.
const MOST = 3;

/** Where the keyboard was before it came to a message. @type {EventTarget | null} */
let before = null;

const region = h("div", {
  class: "messages",
  role: "status",
  "aria-live": "polite",
  onfocusin: (/** @type {FocusEvent} */ { relatedTarget }) => {
    if (!region.contains(relatedTarget)) before = relatedTarget;
  },
});

/** The element that messages appear in, which the page has from the start. */
export function messageRegion() {
  return region;
}

/**
 * Show a message for some seconds.
 * @param {string} text
 * @param {{choices?: [string, () => void][], seconds?: number, kind?: "fault"}} [options] what the
 *   reader can choose meanwhile; the first choice gets the keyboard
 * @returns {() => void} takes it away
 */
export function say(text, options = {}) {
  const { choices = [], seconds = SHOWN, kind } = options;
  const remove = () => {
    clearTimeout(timer);
    const hadFocus = message.contains(document.activeElement);
    message.remove();
    if (hadFocus) focusOn(/** @type {Element | null} */ (before));
  };
  const choose = (/** @type {() => void} */ act) => () => {
    remove();
    act();
  };
  const message = h(
    "div",
    { class: kind ? `message ${kind}` : "message", "data-choice": choices.length > 0 },
    h("span", {}, text),
    choices.map(([name, act]) => button(name, choose(act))),
    choices.length ? null : button(t("dismiss"), remove),
  );
  const timer = setTimeout(remove, seconds * 1000);
  const plain = region.querySelectorAll(".message:not([data-choice])");
  if (plain.length >= MOST) plain[0].remove();
  region.append(message);
  if (choices.length) message.querySelector("button")?.focus(); // there is little time to find it
  return remove;
}

/**
 * Say in words what has gone wrong.
 * @param {unknown} error
 * @returns {string}
 */
export function inWords(error) {
  if (!(error instanceof ApiError)) return t("fault.unexpected");
  if (error.status === 0) return t("fault.network");
  if (error.status === 429) return t("fault.too_many", { n: error.wait });
  if (error.status >= 500) return t(error.status === 503 ? "fault.busy" : "fault.server");
  const code = error.faults[0]?.code;
  const known = { 403: "fault.forbidden", 404: "fault.not_found" }[error.status];
  if (known && code !== "exceeds_permissions") return t(known);
  return error.faults.map(faultText).join(" ") || t("fault.server");
}

/**
 * The text of a fault: by its rule or its code in the reader's language, or else with what the API
 * says.
 * @param {import("./api.js").Fault} fault
 */
export function faultText({ code, meta, detail }) {
  const keys = [`rule.${meta?.rule}`, `fault.${code}`];
  const limit = meta?.limit ?? "";
  return t(keys.find(has) ?? "fault.refused", { detail, limit, n: Number(limit) || 0 });
}

/** @param {unknown} error */
export function sayFault(error) {
  if (error instanceof DOMException && error.name === "AbortError") return;
  if (!(error instanceof ApiError)) console.error(error);
  say(inWords(error), { kind: "fault" });
}
