/** The page to sign up: its mail leads to the page that takes its code. */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { link, urlOf } from "../core/router.js";
import { unknownView } from "../core/shell.js";
import { current } from "../session/session.js";
import { emailInput, form, lineInput, passwordInput, request, showDone } from "./parts.js";

/** @type {import("./index.js").PageModule["view"]} */
export function view(context) {
  if (!current().authentication.sign_up) return unknownView();
  const inputs = [
    lineInput("name", t("title.users.name"), { autocomplete: "name", dir: "auto" }),
    emailInput("username"),
    passwordInput("password", t("title.users.password"), "new-password"),
  ];
  const node = h("div", { class: "page" });
  const signUp = form({
    inputs,
    submit: t("sign_up.submit"),
    act: async (values) => {
      await request(context, "sign-ups", values);
      showDone(node, t("sign_up.done", { email: values.email }));
    },
  });
  const known = h("p", {}, link(urlOf(["sign-in"]), {}, t("sign_up.known")));
  node.append(signUp, known);
  return { title: t("sign_up.title"), node };
}
