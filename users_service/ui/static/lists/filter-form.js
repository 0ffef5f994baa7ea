/** Builds filters: conditions on fields and relationships, all or any of which must hold. */

import { button, fill, h } from "../core/dom.js";
import { keepFocus } from "../core/focus.js";
import { t } from "../core/i18n.js";
import { picker } from "../forms/picker.js";

/** @typedef {import("../core/model.js").Resource} Resource */
/** @typedef {import("./query.js").Condition} Condition */

// The order in which operators are offered; the first is the one of a new condition.
const OPERATORS = "icontains eq ne contains startswith endswith lt le gt ge in nin isnull".split(" ");
const OF_RELATIONSHIPS = ["in", "nin", "isnull"];

/** @type {Partial<Record<import("../core/model.js").Kind, string>>} */
const INPUTS = { instant: "date", date: "date", integer: "number", number: "number" };

/**
 * Make the form. Conditions stay in it as they are typed until others hold for the list.
 * @param {import("../app.js").Context} context
 * @param {Resource} resource
 * @param {Set<string>} hidden fields that the reader may not filter by
 * @param {(changes: Partial<import("./query.js").ListState>) => void} onChange
 * @returns {{node: HTMLElement, update: (state: import("./query.js").ListState) => void}}
 */
export function filterForm(context, resource, hidden, onChange) {
  const conditions = h("ul", { class: "conditions" });
  /** @type {Condition[]} */
  let draft = [];
  /** @type {import("./query.js").ListState | undefined} */
  let held;

  const paths = () => [
    ...[...resource.fields.values()].filter((f) => f.operators.size && !hidden.has(f.name)),
    ...[...resource.relationships.values()].filter((r) => context.model.resources.has(r.target)),
  ];

  function fillConditions() {
    const rows = draft.map((condition, index) =>
      h(
        "li",
        {},
        conditionRow(context, resource, paths(), condition, fillConditions),
        button("×", () => {
          draft.splice(index, 1);
          fillConditions();
          if (!draft.length) adding.focus();
        }, { "aria-label": t("filter.remove") }),
      ),
    );
    keepFocus(form, () => fill(conditions, rows));
  }

  /** @param {import("./query.js").ListState} state */
  function update(state) {
    if (state.conditions !== held?.conditions) {
      draft = state.conditions.map((condition) => ({ ...condition }));
    }
    if (state.any !== held?.any) any.value = state.any ? "any" : "all";
    held = state;
    const count = state.conditions.length;
    fill(summary, count ? t("filter.count", { n: count }) : t("filter"));
    fillConditions();
    keepFocus(form, () => {
      clear.disabled = !count;
    });
  }

  const add = () => {
    const [first] = paths();
    if (!first) return;
    draft.push(newCondition(resource, first.name));
    fillConditions();
    conditions.querySelector("li:last-child select").focus();
  };
  const any = h(
    "select",
    { "aria-label": t("filter.match") },
    h("option", { value: "all" }, t("filter.all")),
    h("option", { value: "any" }, t("filter.any")),
  );
  const apply = (/** @type {Event} */ event) => {
    event.preventDefault();
    const complete = draft.filter(({ op, value }) => op === "isnull" || value !== "");
    onChange({ conditions: complete, any: any.value === "any" });
  };
  const adding = button(t("filter.add"), add);
  const clear = button(t("filter.clear"), () => onChange({ conditions: [] }));
  const summary = h("summary", { "data-shortcut": "filter" });
  const form = h(
    "form",
    { onsubmit: apply },
    any,
    conditions,
    h(
      "div",
      { class: "actions" },
      adding,
      clear,
      h("button", { class: "primary" }, t("filter.apply")),
    ),
  );
  return { node: h("details", { class: "tool", "data-tool": "filter" }, summary, form), update };
}

/**
 * @param {Resource} resource
 * @param {string} path
 * @returns {Condition}
 */
function newCondition(resource, path) {
  const op = operatorsOf(resource, path)[0] ?? "eq";
  const isFlag = op === "isnull" || resource.fields.get(path)?.kind === "boolean";
  return { path, op, value: isFlag ? "true" : "" };
}

/**
 * @param {Resource} resource
 * @param {string} path
 */
function operatorsOf(resource, path) {
  const field = resource.fields.get(path);
  if (!field) return OF_RELATIONSHIPS;
  const found = OPERATORS.filter((op) => field.operators.has(op));
  if (field.kind === "boolean") return found.filter((op) => ["eq", "isnull"].includes(op));
  if (["instant", "date", "integer", "number", "decimal"].includes(field.kind)) {
    return ["ge", "le", "gt", "lt", "eq", "ne", "isnull"].filter((op) => found.includes(op));
  }
  return found;
}

/**
 * @param {import("../app.js").Context} context
 * @param {Resource} resource
 * @param {{name: string, title: string}[]} paths
 * @param {Condition} condition is changed in place
 * @param {() => void} refresh shows the conditions anew
 */
function conditionRow(context, resource, paths, condition, refresh) {
  const path = select(
    t("filter.field"),
    paths.map(({ name, title }) => [name, title]),
    condition.path,
    (value) => {
      Object.assign(condition, newCondition(resource, value));
      refresh();
    },
  );
  const op = select(
    t("filter.operator"),
    operatorsOf(resource, condition.path).map((each) => [each, t(`op.${each}`)]),
    condition.op,
    (value) => {
      const wasFlag = condition.op === "isnull";
      condition.op = value;
      if (value === "isnull") condition.value = "true";
      else if (wasFlag) condition.value = newCondition(resource, condition.path).value;
      refresh();
    },
  );
  return [path, op, valueInput(context, resource, condition)];
}

/**
 * @param {import("../app.js").Context} context
 * @param {Resource} resource
 * @param {Condition} condition
 */
function valueInput(context, resource, condition) {
  const set = (/** @type {string} */ value) => {
    condition.value = value;
  };
  const field = resource.fields.get(condition.path);
  const label = t("filter.value");
  const flags = [["true", t("yes")], ["false", t("no")]];
  if (condition.op === "isnull" || field?.kind === "boolean") {
    return select(label, flags, condition.value, set);
  }
  const relationship = resource.relationships.get(condition.path);
  if (relationship) {
    return picker(context, {
      label,
      target: relationship.target,
      isMany: true,
      value: condition.value ? condition.value.split(",").map((id) => ({ type: relationship.target, id })) : [],
      onChange: (chosen) => set(chosen.map(({ id }) => id).join()),
    }).node;
  }
  if (field?.kind === "choice") {
    const options = field.choices.map(({ value, title }) => [String(value), title]);
    return select(label, [["", ""], ...options], condition.value, set);
  }
  const type = INPUTS[field?.kind ?? "line"];
  const value = type === "date" ? condition.value.slice(0, 10) : condition.value;
  return h("input", {
    type: type ?? "text",
    step: type === "number" ? "any" : null,
    "aria-label": label,
    value,
    maxlength: type ? null : 250,
    oninput: (/** @type {any} */ event) => set(event.target.value),
  });
}

/**
 * @param {string} label
 * @param {(string | undefined)[][]} options
 * @param {string} value
 * @param {(value: string) => void} onChange
 */
function select(label, options, value, onChange) {
  return h(
    "select",
    { "aria-label": label, onchange: (/** @type {any} */ event) => onChange(event.target.value) },
    options.map(([each, text]) => h("option", { value: each, selected: each === value }, text)),
  );
}
