/** The bar above a list that changes many rows: those that are chosen, or all that match. */

import { button, fill, h } from "../core/dom.js";
import { open } from "../core/dialogs.js";
import { keepFocus } from "../core/focus.js";
import { t } from "../core/i18n.js";
import { say, sayFault } from "../core/messages.js";
import { picker } from "../forms/picker.js";
import { offersOf } from "./changes.js";
import { deleteWithUndo } from "./deletion.js";
import { panel, perform } from "./progress.js";
import { collect } from "./rows.js";

/** @typedef {import("../lists/table.js").Row} Row */
/** @typedef {import("./changes.js").Offer} Offer */

/**
 * Make the bar.
 * @param {object} options
 * @param {import("../app.js").Context} options.context
 * @param {import("../core/model.js").Resource} options.resource
 * @param {Map<string, Row>} options.chosen by id
 * @param {() => string} options.filter of the list, as an expression
 * @param {() => void} options.reload the list
 */
export function bulkBar({ context, resource, chosen, filter, reload }) {
  const offers = offersOf(context, resource);
  const rows = h("option", { value: "chosen" });
  const all = h("option", { value: "all" }, t("bulk.all"));
  const scope = h("select", { "aria-label": t("bulk.scope"), onchange: update }, rows, all);
  const what = h(
    "select",
    { "aria-label": t("bulk.what") },
    offers.map(({ title }, index) => h("option", { value: index }, title)),
  );
  const start = button(t("bulk.start"), () => void act().catch(sayFault));
  const none = button(t("bulk.none"), clear);
  let isReading = false;

  function update() {
    fill(rows, t("bulk.chosen", { n: chosen.size }));
    keepFocus(node, () => {
      start.disabled = isReading || (scope.value === "chosen" && !chosen.size);
      none.hidden = !chosen.size;
    });
  }

  function clear() {
    chosen.clear();
    scope.value = "chosen";
    reload();
  }

  async function act() {
    const offer = /** @type {Offer} */ (offers[what.value]);
    const found = scope.value === "all" ? await readAll(offer.title) : [...chosen.values()];
    if (!found) return;
    if (!found.length) say(t("bulk.nothing"));
    else if (offer.deletes) await deleteWithUndo(context, resource, found, clear);
    else {
      const change = await confirmed(offer, found.length);
      if (change) await perform(context, resource, found, change, clear);
    }
  }

  /** @param {string} title @returns {Promise<Row[] | null>} null if the reader stops */
  async function readAll(title) {
    const { signal, step, remove } = panel(title);
    isReading = true;
    update();
    try {
      return await collect(resource, filter(), context.model.pageSize, signal, (n) =>
        step(t("bulk.reading", { n })),
      );
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    } finally {
      remove();
      isReading = false;
      update();
    }
  }

  /**
   * Let the reader pick what it needs, and ask.
   * @param {Offer} offer
   * @param {number} n rows
   * @returns {Promise<import("./changes.js").Change | null>}
   */
  function confirmed(offer, n) {
    const { title, picks } = offer;
    /** @type {import("./changes.js").Identifier[]} */
    let picked = [];
    return open(
      title,
      (close) => {
        const confirm = button(t("bulk.confirm"), () => close(offer.change(picked)), {
          class: "primary",
          disabled: Boolean(picks),
        });
        const onChange = (/** @type {typeof picked} */ value) => {
          picked = value;
          confirm.disabled = !value.length;
        };
        const pick = picks && picker(context, { ...picks, label: picks.title, value: [], onChange });
        return [
          h("p", {}, t("bulk.question", { n, many: resource.many })),
          pick?.node,
          h(
            "div",
            { class: "actions" },
            button(t("cancel"), () => close(null), { autofocus: !picks }),
            confirm,
          ),
        ];
      },
      /** @type {import("./changes.js").Change | null} */ (null),
    );
  }

  const isOffered = offers.length > 0;
  const node = h("div", { class: "bulk", hidden: !isOffered }, scope, what, start, none);
  update();
  return { node, update, isOffered };
}
