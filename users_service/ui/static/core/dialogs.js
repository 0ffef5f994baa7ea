/** Dialogs: one at a time gets the keyboard, and gives it back where it was. */

import { button, h, newId } from "./dom.js";
import { focusOn } from "./focus.js";
import { t } from "./i18n.js";

/**
 * Open a dialog, and wait until it is closed.
 * @template T
 * @param {string} heading
 * @param {(close: (result: T) => void) => import("./dom.js").Child} content makes what is in it
 * @param {T} dismissed the result where the reader leaves it by Escape
 * @returns {Promise<T>}
 */
export function open(heading, content, dismissed) {
  const before = document.activeElement;
  const id = newId();
  return new Promise((resolve) => {
    let result = dismissed;
    const close = (/** @type {T} */ value) => {
      result = value;
      dialog.close();
    };
    /** @type {HTMLDialogElement} */
    const dialog = h(
      "dialog",
      {
        "aria-labelledby": id,
        onclose: () => {
          dialog.remove();
          focusOn(before);
          resolve(result);
        },
      },
      h("h2", { id }, heading),
    );
    dialog.append(h("div", { class: "dialog-content" }, content(close)));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * Ask whether to do something.
 * @param {string} heading
 * @param {import("./dom.js").Child} content
 * @param {string} confirm the text of the button that does it
 * @returns {Promise<boolean>}
 */
export function ask(heading, content, confirm) {
  return open(
    heading,
    (close) => [
      h("div", {}, content),
      h(
        "div",
        { class: "actions" },
        button(t("cancel"), () => close(false), { autofocus: true }),
        button(confirm, () => close(true), { class: "primary" }),
      ),
    ],
    false,
  );
}
