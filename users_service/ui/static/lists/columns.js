/** Chooses the columns of a list, and their order. */

import { button, h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { isColumn } from "./query.js";

/**
 * @param {import("../core/model.js").Resource} resource
 * @param {string[]} chosen
 * @param {Set<string>} hidden fields that the reader may not read
 * @param {(columns: string[]) => void} onChange
 */
export function columnChooser(resource, chosen, hidden, onChange) {
  const names = [...resource.fields.keys(), ...resource.relationships.keys()];
  const isOther = (/** @type {string} */ name) => isColumn(resource, name) && !chosen.includes(name);
  const others = names.filter((name) => isOther(name) && !hidden.has(name));
  const titleOf = (/** @type {string} */ name) =>
    resource.fields.get(name)?.title ?? resource.relationships.get(name)?.title ?? name;

  const toggle = (/** @type {string} */ name, /** @type {boolean} */ isShown) => {
    const columns = isShown ? [...chosen, name] : chosen.filter((each) => each !== name);
    if (columns.length) onChange(columns);
  };
  const move = (/** @type {number} */ index, /** @type {number} */ by) => {
    if (!(index + by in chosen)) return;
    const columns = [...chosen];
    const [name] = columns.splice(index, 1);
    columns.splice(index + by, 0, name ?? "");
    onChange(columns);
  };
  const box = (/** @type {string} */ name, /** @type {boolean} */ isShown) =>
    h(
      "label",
      { class: "check" },
      h("input", {
        type: "checkbox",
        checked: isShown,
        disabled: isShown && chosen.length === 1,
        onchange: (/** @type {any} */ event) => toggle(name, event.target.checked),
      }),
      titleOf(name),
    );
  const shown = chosen.map((name, index) =>
    h(
      "li",
      {},
      box(name, true),
      button("↑", () => move(index, -1), {
        "aria-label": t("columns.earlier", { name: titleOf(name) }),
        "aria-disabled": index === 0 ? "true" : null, // it keeps the keyboard
      }),
      button("↓", () => move(index, 1), {
        "aria-label": t("columns.later", { name: titleOf(name) }),
        "aria-disabled": index === chosen.length - 1 ? "true" : null,
      }),
    ),
  );
  return h(
    "details",
    { class: "tool", "data-tool": "columns" },
    h("summary", {}, t("columns")),
    h("ul", { class: "choices" }, shown, others.map((name) => h("li", {}, box(name, false)))),
  );
}
