/** The page to ask for the mail whose code sets a new password. */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { unknownView } from "../core/shell.js";
import { current } from "../session/session.js";
import { emailInput, form, request, showDone } from "./parts.js";

/** @type {import("./index.js").PageModule["view"]} */
export function view(context) {
  if (!current().authentication.password_reset) return unknownView();
  const node = h("div", { class: "page" });
  const forgot = form({
    inputs: [emailInput("username")],
    submit: t("forgot.submit"),
    act: async (values) => {
      await request(context, "password-resets", values);
      showDone(node, t("forgot.done", { email: values.email }));
    },
  });
  node.append(h("p", {}, t("forgot.text")), forgot);
  return { title: t("forgot.title"), node };
}
