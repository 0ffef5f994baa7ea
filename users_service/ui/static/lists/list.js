/** The list of a resource: search, filters, sort, pages, columns, saved views, and bulk changes. */

import { get, ApiError } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { keepFocus } from "../core/focus.js";
import { t } from "../core/i18n.js";
import { inWords, say } from "../core/messages.js";
import { link, note, urlOf } from "../core/router.js";
import { may } from "../session/session.js";
import { bulkBar } from "../bulk/bulk.js";
import { columnChooser } from "./columns.js";
import { filterForm } from "./filter-form.js";
import { columnsOf, cursorsOf, expressionOf, queryOf, requestOf, stateOf } from "./query.js";
import { savedViews } from "./saved.js";
import { pager, table } from "./table.js";

// Milliseconds after a key, in which the next one may come.
const TYPING = 100;

/**
 * Make the view.
 * @param {import("../app.js").Context} context
 * @param {import("../core/model.js").Resource} resource
 * @param {import("../core/router.js").Place} place
 * @returns {import("../app.js").View}
 */
export function listView(context, resource, place) {
  const { hidden } = resource;
  let state = withoutHidden(stateOf(resource, place.query), hidden);
  /** @type {Map<string, import("./table.js").Row>} */
  const chosen = new Map();
  /** @type {AbortController | undefined} */
  let loading;
  let timer = 0;

  const search = h("input", {
    type: "search",
    value: state.search,
    "data-shortcut": "search",
    "aria-label": t("search.label", { many: resource.many }),
    placeholder: t("search"),
    maxlength: 200,
    oninput: () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => change({ search: search.value }, { replace: true }), TYPING);
    },
  });
  const status = h("p", { class: "status", role: "status" });
  const rows = h("div", { class: "rows" });
  const pages = h("div", {});
  const bulk = bulkBar({
    context,
    resource,
    chosen,
    filter: () => expressionOf(resource, state, hidden),
    reload: () => void load(),
  });
  const filter = filterForm(context, resource, hidden, change);
  const tools = h("div", { class: "tools" }, filter.node);

  /**
   * Change the state, and show what it asks for.
   * @param {Partial<import("./query.js").ListState>} changes
   * @param {{replace?: boolean}} [options]
   */
  function change(changes, options = {}) {
    const goesOn = "after" in changes || "before" in changes;
    state = { ...state, ...(goesOn ? {} : { after: "", before: "" }), ...changes };
    if ("conditions" in changes || "search" in changes) chosen.clear();
    note(urlOf([resource.type], queryOf(resource, state)), options);
    fillTools();
    void load();
  }

  function fillTools() {
    filter.update(state);
    const [columns, views] = [...tools.children].slice(1);
    const onColumns = (/** @type {string[]} */ names) =>
      change({ columns: names, after: state.after, before: state.before });
    const chosenColumns = columnsOf(resource, state, hidden);
    keepFocus(tools, () => {
      renew(columns, columnChooser(resource, chosenColumns, hidden, onColumns));
      renew(views, savedViews(resource, queryOf(resource, state)));
    });
  }

  /**
   * Put a tool in the place of what it was before, as far open.
   * @param {Element | undefined} before
   * @param {HTMLDetailsElement} tool
   */
  function renew(before, tool) {
    if (before instanceof HTMLDetailsElement) {
      tool.open = before.open;
      before.replaceWith(tool);
    } else tools.append(tool);
  }

  async function load() {
    loading?.abort(); // a late answer to an earlier request is not shown
    loading = new AbortController();
    const { signal } = loading;
    rows.setAttribute("aria-busy", "true");
    try {
      const { document: page } = await get(requestOf(resource, state, hidden), { signal });
      if (signal.aborted) return;
      showPage(page);
    } catch (error) {
      if (signal.aborted) return;
      if (recover(error)) return;
      const again = button(t("try_again"), () => void load());
      keepFocus(status, () => fill(status, inWords(error), " ", again));
    }
    rows.removeAttribute("aria-busy");
  }

  /**
   * Go on at the first page where a cursor is too old.
   * @param {unknown} error
   */
  function recover(error) {
    const isRefused = error instanceof ApiError && error.status === 400;
    if (!isRefused || !(state.after || state.before)) return false;
    say(t("list.no_page"));
    change({ after: "", before: "" }, { replace: true });
    return true;
  }

  /** @param {any} page the document */
  function showPage(page) {
    const included = new Map(
      (page.included ?? []).map((/** @type {any} */ each) => [`${each.type} ${each.id}`, each]),
    );
    const total = page.meta?.page?.total;
    const shownTotal = total === undefined ? countButton() : t("list.total", { n: total });
    const shown = page.data.length ? t("list.shown", { n: page.data.length }) : t("list.empty");
    keepFocus(status, () => fill(status, shown, " ", shownTotal));
    const made = table({
      context,
      resource,
      columns: columnsOf(resource, state, hidden),
      sort: state.sort,
      rows: page.data,
      included,
      chosen,
      canChoose: bulk.isOffered,
      hidden,
      onSort: (sort) => change({ sort }),
      onChoose: bulk.update,
    });
    keepFocus(rows, () => fill(rows, made));
    const turn = pager(page.links, (to) => change(cursorsOf(to)));
    keepFocus(pages, () => fill(pages, turn));
    bulk.update();
  }

  function countButton() {
    return button(t("list.count"), () => change({ total: true, after: state.after, before: state.before }));
  }

  const canCreate = resource.methods.has("POST") && may(`${resource.type}:create`);
  const create = canCreate
    ? link(
        urlOf([resource.type, "new"]),
        { class: "button primary", "data-shortcut": "new" },
        t("list.new", { one: resource.one }),
      )
    : null;
  if (state.conditions.length < place.query.getAll("where").length) {
    say(t("list.left_out"), { kind: "fault" });
  }
  fillTools();
  void load();
  return {
    title: resource.many,
    node: h(
      "div",
      { class: "list" },
      h("div", { class: "bar" }, resource.search.length ? search : null, create),
      tools,
      bulk.node,
      status,
      rows,
      pages,
    ),
    leave: () => {
      clearTimeout(timer);
      loading?.abort();
    },
  };
}

/**
 * The state of a list without what the reader may not filter or sort by.
 * @param {import("./query.js").ListState} state
 * @param {Set<string>} hidden
 */
function withoutHidden(state, hidden) {
  const conditions = state.conditions.filter(({ path }) => !hidden.has(path));
  return { ...state, conditions, sort: hidden.has(state.sort.replace(/^-/, "")) ? "" : state.sort };
}
