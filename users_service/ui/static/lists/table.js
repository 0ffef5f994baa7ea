/** The rows of a list as a table, with a header that sorts and a box to choose each row. */

import { button, data, h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { link, urlOf } from "../core/router.js";
import { nameOf, show } from "./values.js";

/**
 * @typedef {object} Row a resource object
 * @property {string} type
 * @property {string} id
 * @property {Record<string, any>} attributes
 * @property {Record<string, any>} [relationships]
 * @property {{etag?: string}} [meta]
 */

/**
 * Make the table of a page.
 * @param {object} options
 * @param {import("../app.js").Context} options.context
 * @param {import("../core/model.js").Resource} options.resource
 * @param {string[]} options.columns
 * @param {string} options.sort
 * @param {Row[]} options.rows
 * @param {Map<string, Row>} options.included by type and id
 * @param {Map<string, Row>} options.chosen by id
 * @param {boolean} options.canChoose
 * @param {Set<string>} options.hidden fields that are not to be sorted by
 * @param {(sort: string) => void} options.onSort
 * @param {() => void} options.onChoose is called when the reader has chosen others
 */
export function table(options) {
  const { resource, columns, rows, canChoose } = options;
  const all = canChoose ? chooseAll(options) : null;
  const boxes = rows.map((row) => (canChoose ? chooseOne(options, row, all) : null));
  all?.update();
  const body = rows.map((row, index) =>
    h(
      "tr",
      {},
      canChoose ? h("td", { class: "choose" }, boxes[index] ?? null) : null,
      columns.map((name, column) => cell(options, row, name, column === 0)),
    ),
  );
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": resource.many },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          all ? h("td", { class: "choose" }, all.box) : null,
          columns.map((name) => header(options, name)),
        ),
      ),
      h("tbody", {}, body),
    ),
  );
}

/** @typedef {Parameters<typeof table>[0]} Options */

/**
 * @param {Options} options
 * @param {string} name
 */
function header({ resource, sort, hidden, onSort }, name) {
  const field = resource.fields.get(name);
  const title = field?.title ?? resource.relationships.get(name)?.title ?? name;
  if (!field?.isSortable || hidden.has(name)) return h("th", { scope: "col" }, title);
  const isAscending = sort === name;
  const isDescending = sort === `-${name}`;
  const order = isAscending ? "ascending" : isDescending ? "descending" : "none";
  const mark = h("span", { class: "mark", "aria-hidden": "true" }, isAscending ? "▲" : isDescending ? "▼" : "");
  const toggle = () => onSort(isAscending ? `-${name}` : name);
  const attributes = { type: "button", class: "sort", onclick: toggle, "data-sort": name };
  const sorting = h("button", attributes, title, " ", mark);
  return h("th", { scope: "col", "aria-sort": order }, sorting);
}

/**
 * @param {Options} options
 * @param {Row} row
 * @param {string} name
 * @param {boolean} isFirst it leads to the resource
 */
function cell(options, row, name, isFirst) {
  const { resource } = options;
  const content = contentOf(options, row, name);
  if (!isFirst) return h("td", {}, content);
  return h("th", { scope: "row" }, link(urlOf([resource.type, row.id]), {}, content));
}

/**
 * @param {Options} options
 * @param {Row} row
 * @param {string} name
 */
function contentOf({ context, resource, included }, row, name) {
  const relationship = resource.relationships.get(name);
  if (!relationship) {
    const field = resource.fields.get(name);
    return field && name in row.attributes ? show(field, row.attributes[name]) : "";
  }
  const related = row.relationships?.[name]?.data;
  if (!related) return h("span", { class: "none" }, t("none"));
  const target = context.model.resources.get(related.type);
  return data(nameOf(target, included.get(`${related.type} ${related.id}`) ?? related));
}

/** @param {Options} options */
function chooseAll({ rows, chosen, onChoose, resource }) {
  const box = h("input", {
    type: "checkbox",
    "aria-label": t("choose.page", { many: resource.many }),
    onchange: () => {
      for (const row of rows) {
        if (box.checked) chosen.set(row.id, row);
        else chosen.delete(row.id);
      }
      for (const each of box.closest("table").querySelectorAll("tbody .choose input")) {
        each.checked = box.checked;
      }
      onChoose();
    },
  });
  const update = () => {
    const count = rows.filter(({ id }) => chosen.has(id)).length;
    box.checked = count > 0 && count === rows.length;
    box.indeterminate = count > 0 && count < rows.length;
  };
  return { box, update };
}

/**
 * @param {Options} options
 * @param {Row} row
 * @param {ReturnType<typeof chooseAll> | null} all
 */
function chooseOne({ resource, chosen, onChoose }, row, all) {
  const box = h("input", {
    type: "checkbox",
    checked: chosen.has(row.id),
    "aria-label": t("choose.one", { name: nameOf(resource, row) }),
    onchange: () => {
      if (box.checked) chosen.set(row.id, row);
      else chosen.delete(row.id);
      all?.update();
      onChoose();
    },
  });
  return box;
}

/**
 * The buttons between pages, where there are several.
 * @param {Record<string, any>} links of the document
 * @param {(link: any) => void} onPage
 */
export function pager(links, onPage) {
  const names = ["first", "prev", "next", "last"].filter((name) => name in links);
  const buttons = names.map((name) =>
    button(t(`page.${name}`), () => onPage(links[name]), { disabled: !links[name], "data-page": name }),
  );
  return links.prev || links.next ? h("nav", { class: "pager", "aria-label": t("pages") }, buttons) : null;
}
