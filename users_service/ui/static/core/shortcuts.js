/** Shortcuts of the keyboard: single keys, which the reader can switch off (WCAG 2.1.4). */

import { h } from "./dom.js";
import { open } from "./dialogs.js";
import { t } from "./i18n.js";
import { remember, remembered } from "./prefs.js";

/** What each key does: the selector of what it focuses or clicks. @type {[string, string, string][]} */
const SHORTCUTS = [
  ["/", "search", "[data-shortcut=search]"],
  ["n", "form.create", "[data-shortcut=new]"],
  ["s", "save", "[data-shortcut=save]"],
  ["f", "shortcut.filter", "[data-shortcut=filter]"],
];

let listening = false;

/** Begin to listen, once. */
export function listen() {
  if (listening) return;
  listening = true;
  document.addEventListener("keydown", (event) => {
    if (!remembered("shortcuts", true) || event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    const isTyping = target instanceof Element && target.closest("input, select, textarea, dialog");
    if (isTyping) return;
    if (event.key === "?") {
      event.preventDefault();
      void showShortcuts();
      return;
    }
    const selector = SHORTCUTS.find(([key]) => key === event.key)?.[2];
    const element = selector && document.querySelector(selector);
    if (!(element instanceof HTMLElement)) return;
    event.preventDefault();
    element.focus();
    if (!(element instanceof HTMLInputElement)) element.click();
  });
}

/** List the shortcuts, and let the reader switch them off. */
export async function showShortcuts() {
  const rows = [["?", "shortcut.help"], ...SHORTCUTS].map(([key, text]) =>
    h("tr", {}, h("td", {}, h("kbd", {}, key)), h("td", {}, t(text ?? ""))),
  );
  const checkbox = h("input", {
    type: "checkbox",
    checked: remembered("shortcuts", true),
    onchange: () => remember("shortcuts", checkbox.checked),
  });
  await open(
    t("shortcuts"),
    (close) => [
      h("table", {}, h("tbody", {}, rows)),
      h("label", { class: "check" }, checkbox, t("shortcuts.on")),
      h("div", { class: "actions" }, h("button", { type: "button", onclick: () => close(null) }, t("close"))),
    ],
    null,
  );
}
