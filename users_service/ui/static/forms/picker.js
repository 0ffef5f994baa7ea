/** Picks related resources: a text field that searches them (the ARIA combobox pattern). */

import { get } from "../core/api.js";
import { button, data, fill, h, newId } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { inWords } from "../core/messages.js";
import { searchOf } from "../lists/query.js";
import { nameOf } from "../lists/values.js";

/** @typedef {{type: string, id: string, attributes?: Record<string, any>}} Related */

const SHOWN = 10;
const TYPING = 100;

/**
 * Make a picker.
 * @param {import("../app.js").Context} context
 * @param {object} options
 * @param {string} options.label
 * @param {string} options.target the type of what is picked
 * @param {boolean} options.isMany
 * @param {Related[]} options.value at most one unless there may be many
 * @param {(value: Related[]) => void} [options.onChange]
 * @param {Record<string, any>} [options.attributes] of the text field
 * @returns {{node: HTMLElement, control: HTMLInputElement, value: () => Related[], clear: () => void}}
 */
export function picker(context, { label, target, isMany, value, onChange, attributes = {} }) {
  const resource = context.model.resources.get(target);
  let chosen = [...value];
  /** @type {Related[]} */
  let found = [];
  let active = -1;
  let isStale = false; // what is shown was found for another text
  /** @type {AbortController | undefined} */
  let loading;
  let timer = 0;
  const listId = newId();

  const chips = h("ul", { class: "chips" });
  const options = h("ul", { id: listId, role: "listbox", class: "options", hidden: true, "aria-label": label });
  const status = h("span", { class: "visually-hidden", role: "status" });
  const input = h("input", {
    type: "text",
    role: "combobox",
    "aria-label": label,
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": listId,
    autocomplete: "off",
    placeholder: t("search"),
    maxlength: 200,
    dir: "auto",
    ...attributes,
    oninput: () => {
      isStale = true;
      clearTimeout(timer);
      timer = window.setTimeout(() => void search(), TYPING);
    },
    onclick: () => void search(),
    onblur: close,
    onkeydown: onKey,
  });
  const node = h("div", { class: "picker" }, chips, input, options, status);

  /** @param {Related[]} next */
  function choose(next) {
    chosen = next;
    fillChips();
    onChange?.(chosen);
  }

  function fillChips() {
    const items = chosen.map((each) => {
      const name = nameOf(resource, each);
      const remove = () => {
        choose(chosen.filter(({ id }) => id !== each.id));
        input.focus();
      };
      return h("li", {}, data(name), button("×", remove, { "aria-label": t("picker.remove", { name }) }));
    });
    fill(chips, items);
    chips.hidden = !items.length;
  }

  async function search() {
    if (!resource) return;
    loading?.abort();
    loading = new AbortController();
    const query = new URLSearchParams({ "page[size]": String(SHOWN) });
    if (resource.namedBy) query.set(`fields[${target}]`, resource.namedBy);
    if (resource.namedBy) query.set("sort", resource.namedBy);
    const named = { ...resource, search: [resource.namedBy] };
    const filter = searchOf(named, input.value.trim(), new Set());
    if (filter) query.set("filter", filter);
    try {
      const { document } = await get(`${resource.url}?${query}`, { signal: loading.signal });
      const taken = new Set(chosen.map(({ id }) => id));
      found = document.data.filter((/** @type {Related} */ each) => !taken.has(each.id));
      show();
    } catch (error) {
      if (loading.signal.aborted) return;
      close();
      found = [];
      isStale = false;
      tell(inWords(error), "fault");
    }
  }

  function show() {
    if (document.activeElement !== input) return;
    active = -1;
    isStale = false;
    fill(
      options,
      found.map((each, index) =>
        h(
          "li",
          {
            id: `${listId}-${index}`,
            role: "option",
            "aria-selected": "false",
            onmousedown: (/** @type {Event} */ event) => {
              event.preventDefault(); // the field keeps the keyboard
              pick(index);
            },
          },
          data(nameOf(resource, each)),
        ),
      ),
    );
    options.hidden = !found.length;
    input.setAttribute("aria-expanded", String(!options.hidden));
    input.removeAttribute("aria-activedescendant");
    tell(t("picker.found", { n: found.length }), "visually-hidden");
  }

  /**
   * @param {string} text
   * @param {"fault" | "visually-hidden"} look what all can see anyway is only read out
   */
  function tell(text, look) {
    fill(status, text);
    status.className = look;
  }

  /** @param {number} index */
  function pick(index) {
    const each = found[index];
    if (!each) return;
    choose(isMany ? [...chosen, each] : [each]);
    input.value = "";
    close();
  }

  function close() {
    loading?.abort();
    clearTimeout(timer);
    options.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  /** @param {number} index */
  function activate(index) {
    active = index;
    [...options.children].forEach((option, each) => {
      option.setAttribute("aria-selected", String(each === index));
      if (each === index) option.scrollIntoView({ block: "nearest" });
    });
    input.setAttribute("aria-activedescendant", `${listId}-${index}`);
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const isOpen = !options.hidden;
    if (event.key === "Escape" && isOpen) {
      event.stopPropagation();
      event.preventDefault();
      close();
    } else if (isStale && ["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) {
      event.preventDefault();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) void search();
      else if (found.length) {
        const step = event.key === "ArrowDown" ? 1 : -1;
        activate((active + step + found.length) % found.length);
      }
    } else if (event.key === "Enter" && isOpen && active >= 0) {
      event.preventDefault();
      pick(active);
    }
  }

  function clear() {
    chosen = [];
    fillChips();
  }

  fillChips();
  return { node, control: input, value: () => chosen, clear };
}
