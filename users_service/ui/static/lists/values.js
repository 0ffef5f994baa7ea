/** Shows values of fields and names of resources. */

import { data, h } from "../core/dom.js";
import { day, instant, number, t } from "../core/i18n.js";

/**
 * Show a value.
 * @param {import("../core/model.js").Field} field
 * @param {unknown} value
 * @returns {Node}
 */
export function show(field, value) {
  const isEmpty = Array.isArray(value) && !value.length;
  if (value === null || value === undefined || value === "" || isEmpty) {
    return h("span", { class: "none" }, t("none"));
  }
  switch (field.kind) {
    case "boolean":
      return document.createTextNode(t(value ? "yes" : "no"));
    case "instant":
      return h("time", { datetime: value }, instant(String(value)));
    case "date":
      return h("time", { datetime: value }, day(String(value)));
    case "integer":
    case "number":
      return document.createTextNode(number(Number(value)));
    case "url":
      return h("a", { href: value, rel: "noopener noreferrer" }, data(value));
    case "choice":
      return data(field.choices.find((each) => each.value === value)?.title ?? value);
    case "list":
      return h("ul", { class: "values" }, /** @type {any[]} */ (value).map((each) => h("li", {}, data(each))));
    case "object":
      return data(JSON.stringify(value));
    default:
      return data(value);
  }
}

/**
 * The name of a resource; its id if it has none, or the reader may not see it.
 * @param {import("../core/model.js").Resource | undefined} resource
 * @param {{id: string, attributes?: Record<string, any>}} object
 * @returns {string}
 */
export function nameOf(resource, object) {
  const name = resource && object.attributes?.[resource.namedBy];
  return typeof name === "string" && name ? name : object.id;
}
