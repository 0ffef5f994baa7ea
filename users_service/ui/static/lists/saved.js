/** Views of a list that the reader has given a name; this browser remembers them. */

import { button, h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { open } from "../core/dialogs.js";
import { keepFocus } from "../core/focus.js";
import { remember, remembered } from "../core/prefs.js";
import { link, urlOf } from "../core/router.js";

/**
 * @param {import("../core/model.js").Resource} resource
 * @param {URLSearchParams} query the state of the list now
 */
export function savedViews(resource, query) {
  const key = `views:${resource.type}`;
  const list = h("ul", { class: "choices" });

  function fillList() {
    /** @type {Record<string, string>} */
    const views = remembered(key, {});
    list.replaceChildren(
      ...Object.entries(views).map(([name, saved]) =>
        h(
          "li",
          {},
          link(urlOf([resource.type], new URLSearchParams(saved)), {}, name),
          button("×", () => {
            const { [name]: _, ...others } = views;
            remember(key, others);
            keepFocus(node, fillList);
          }, { "aria-label": t("views.forget", { name }) }),
        ),
      ),
    );
  }

  async function save() {
    const name = await askName();
    if (!name) return;
    remember(key, { ...remembered(key, {}), [name]: query.toString() });
    fillList();
  }

  fillList();
  const node = h(
    "details",
    { class: "tool", "data-tool": "views" },
    h("summary", {}, t("views")),
    list,
    button(t("views.save"), () => void save()),
  );
  return node;
}

/** @returns {Promise<string>} empty if the reader gives none */
function askName() {
  return open(
    t("views.save"),
    (close) => {
      const input = h("input", { required: true, maxlength: 80, autofocus: true });
      const submit = (/** @type {Event} */ event) => {
        event.preventDefault();
        close(input.value.trim());
      };
      return h(
        "form",
        { onsubmit: submit },
        h("label", {}, t("views.name"), " ", input),
        h("div", { class: "actions" }, button(t("cancel"), () => close("")), h("button", { class: "primary" }, t("save"))),
      );
    },
    "",
  );
}
