/** A to-many relationship of a resource: a paged list, with what is added and removed sent as such. */

import { get, send } from "../core/api.js";
import { button, data, fill, h } from "../core/dom.js";
import { keepFocus } from "../core/focus.js";
import { t } from "../core/i18n.js";
import { inWords, say, sayFault } from "../core/messages.js";
import { link, urlOf } from "../core/router.js";
import { pager } from "../lists/table.js";
import { nameOf } from "../lists/values.js";
import { may } from "../session/session.js";
import { picker } from "./picker.js";

const SIZE = 20;

/**
 * Make the list.
 * @param {import("../app.js").Context} context
 * @param {import("../core/model.js").Resource} resource
 * @param {import("../core/model.js").Relationship} relationship
 * @param {string} id that of the resource
 * @param {() => void} onChange is called when it has changed, and so has the resource's tag
 */
export function linkageList(context, resource, relationship, id, onChange) {
  const target = context.model.resources.get(relationship.target);
  const canChange = relationship.isChangeable && relationship.changedBy.every(may);
  const status = h("p", { class: "status", role: "status" });
  const list = h("ul", { class: "linkage" });
  const pages = h("div", {});
  const fields = new URLSearchParams({ "page[size]": String(SIZE) });
  if (target?.namedBy) {
    fields.set(`fields[${target.type}]`, target.namedBy);
    fields.set("sort", target.namedBy);
  }
  const first = `${resource.url}/${id}/${relationship.name}?${fields}`;
  let url = first;

  async function load() {
    node.setAttribute("aria-busy", "true");
    try {
      const { document } = await get(url);
      const go = (/** @type {any} */ to) => {
        url = to.href ?? to;
        void load();
      };
      keepFocus(node, () => {
        fill(list, document.data.map(item));
        fill(pages, pager(document.links, go));
        fill(status, document.data.length ? null : t("linkage.empty"));
      });
    } catch (error) {
      fill(status, inWords(error), " ", button(t("try_again"), () => void load()));
    }
    node.removeAttribute("aria-busy");
  }

  /** @param {import("./picker.js").Related} related */
  function item(related) {
    const name = nameOf(target, related);
    const remove = button(t("linkage.remove"), () => void change("DELETE", related, name, remove), {
      "aria-label": t("picker.remove", { name }),
    });
    const text = link(urlOf([related.type, related.id]), {}, data(name));
    return h("li", {}, text, canChange ? remove : null);
  }

  /**
   * @param {"POST" | "DELETE"} method
   * @param {import("./picker.js").Related} related
   * @param {string} name
   * @param {HTMLButtonElement} [pressed]
   */
  async function change(method, related, name, pressed) {
    if (pressed) pressed.disabled = true; // a second click sends nothing
    const document = { data: [{ type: related.type, id: related.id }] };
    try {
      await send(method, `${resource.url}/${id}/relationships/${relationship.name}`, { document });
      say(t(method === "POST" ? "linkage.added" : "linkage.removed", { name }));
      onChange();
      await load();
      add?.control.focus();
    } catch (error) {
      if (pressed) pressed.disabled = false;
      sayFault(error);
    }
  }

  const add = canChange
    ? picker(context, {
        label: t("linkage.add", { title: relationship.title }),
        target: relationship.target,
        isMany: false,
        value: [],
        onChange: ([related]) => {
          if (!related) return;
          add?.clear();
          void change("POST", related, nameOf(target, related));
        },
      })
    : null;
  const { title, description } = relationship;
  const hint = description ? h("p", { class: "hint" }, description) : null;
  const node = h("section", { class: "related" }, h("h2", {}, title), hint, add?.node ?? null, status, list, pages);
  void load();
  return node;
}
