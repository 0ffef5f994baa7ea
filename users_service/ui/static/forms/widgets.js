/** Controls for values, by the kind of their field. */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

/**
 * @typedef {object} Widget
 * @property {HTMLElement} node what is shown
 * @property {HTMLElement} control what has the keyboard, and is named by its label
 * @property {() => unknown} value what the control holds now; undefined for nothing to be sent
 */

/** @typedef {import("../core/model.js").Field} Field */

/** A text that stands in a control, but is no value of its field. */
export class MalformedError extends Error {}

/**
 * Make the control of a field.
 * @param {Field} field
 * @param {unknown} value null or undefined for none
 * @param {Record<string, any>} attributes of the control: its id, what describes it
 * @returns {Widget}
 */
export function widget(field, value, attributes) {
  const make = MAKERS[field.kind] ?? line;
  return make(field, value, attributes);
}

/** @type {Partial<Record<import("../core/model.js").Kind, typeof widget>>} */
const MAKERS = {
  boolean: flag,
  choice,
  text: multiline,
  list,
  object,
  integer: numeric,
  number: numeric,
  date: day,
  instant: moment,
  hidden,
};

/**
 * @param {HTMLElement} control
 * @param {() => unknown} value
 * @param {HTMLElement} [node]
 * @returns {Widget}
 */
function made(control, value, node = control) {
  return { control, value, node };
}

/** @type {typeof widget} */
function line(field, value, attributes) {
  const modes = { email: "email", url: "url", decimal: "decimal" };
  const input = h("input", {
    type: "text",
    inputmode: /** @type {Record<string, string>} */ (modes)[field.kind] ?? null,
    autocomplete: "off",
    spellcheck: field.kind === "line" ? null : "false",
    dir: "auto",
    value: value ?? "",
    ...attributes,
  });
  // Blanks come with what is copied. In lines the API leaves them out.
  return made(input, () => textOf(field, field.kind === "line" ? input.value : input.value.trim()));
}

/** @type {typeof widget} */
function multiline(field, value, attributes) {
  const area = h("textarea", { rows: 4, dir: "auto", value: value ?? "", ...attributes });
  return made(area, () => textOf(field, area.value));
}

/**
 * An empty text is none, where a field may have none.
 * @param {Field} field
 * @param {string} text
 */
function textOf(field, text) {
  return text === "" && field.isNullable ? null : text;
}

/** @type {typeof widget} */
function flag(field, value, attributes) {
  if (field.isNullable) {
    const choices = [true, false].map((each) => ({ value: each, title: t(each ? "yes" : "no") }));
    return choice({ ...field, choices }, value, attributes);
  }
  const box = h("input", { type: "checkbox", checked: value === true, ...attributes });
  return made(box, () => box.checked);
}

/** @type {typeof widget} */
function choice(field, value, attributes) {
  const none = field.isNullable || value === undefined || value === null;
  const options = field.choices.map((each, index) =>
    h("option", { value: index, selected: each.value === value }, each.title),
  );
  const select = h("select", attributes, none ? h("option", { value: "" }, t("none")) : null, options);
  return made(select, () => {
    if (select.value !== "") return field.choices[Number(select.value)]?.value;
    return field.isNullable ? null : undefined;
  });
}

/** @type {typeof widget} */
function numeric(field, value, attributes) {
  const input = h("input", { type: "text", inputmode: "decimal", value: value ?? "", ...attributes });
  return made(input, () => {
    const text = input.value.trim();
    if (text === "") return field.isNullable ? null : undefined;
    const number = Number(text);
    if (!Number.isFinite(number)) throw new MalformedError(t("rule.type"));
    return number;
  });
}

/** @type {typeof widget} */
function day(field, value, attributes) {
  const input = h("input", { type: "date", value: value ?? "", ...attributes });
  return made(input, () => input.value || (field.isNullable ? null : undefined));
}

/** @type {typeof widget} */
function moment(field, value, attributes) {
  const before = typeof value === "string" ? local(value) : "";
  const input = h("input", { type: "datetime-local", step: "1", value: before, ...attributes });
  return made(input, () => {
    if (input.value === before) return value ?? (field.isNullable ? null : undefined);
    if (!input.value) return field.isNullable ? null : undefined;
    return new Date(input.value).toISOString();
  });
}

/**
 * An instant in the reader's time zone, as `datetime-local` has it.
 * @param {string} text
 */
function local(text) {
  const time = new Date(text);
  const shifted = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}

/** One text in each line. @type {typeof widget} */
function list(field, value, attributes) {
  const texts = Array.isArray(value) ? value.join("\n") : "";
  const area = h("textarea", { rows: 5, dir: "auto", spellcheck: "false", value: texts, ...attributes });
  const hint = h("p", { class: "hint" }, t("form.list_hint"));
  return made(
    area,
    () => {
      /** @type {string[]} */
      const lines = area.value.split("\n");
      const found = lines.map((each) => each.trim()).filter(Boolean);
      return !found.length && field.isNullable ? null : found;
    },
    h("div", {}, area, hint),
  );
}

/** @type {typeof widget} */
function object(field, value, attributes) {
  const text = value === null || value === undefined ? "" : JSON.stringify(value, null, 2);
  const area = h("textarea", { rows: 6, dir: "ltr", spellcheck: "false", value: text, ...attributes });
  return made(area, () => {
    if (!area.value.trim()) return field.isNullable ? null : undefined;
    try {
      return JSON.parse(area.value);
    } catch {
      throw new MalformedError(t("rule.type"));
    }
  });
}

/** What is never shown: left empty, it stays as it is. @type {typeof widget} */
function hidden(field, _value, attributes) {
  const input = h("input", { type: "password", autocomplete: "new-password", ...attributes });
  const none = h("input", {
    type: "checkbox",
    onchange: () => {
      input.disabled = none.checked;
    },
  });
  const node = h(
    "div",
    {},
    input,
    field.isNullable ? h("label", { class: "check" }, none, t("form.no_value")) : null,
  );
  return made(input, () => (none.checked ? null : input.value || undefined), node);
}
