/** The page that sets a new password by a code that was mailed. */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { link, urlOf } from "../core/router.js";
import { unknownView } from "../core/shell.js";
import { announce, current } from "../session/session.js";
import { codeInput, form, passwordInput, request, showDone, takeCode } from "./parts.js";

/** @type {import("./index.js").PageModule["view"]} */
export function view(context, place) {
  const code = takeCode(place);
  if (!current().authentication.password_reset) return unknownView();
  const password = passwordInput("password", t("reset.password"), "new-password");
  const node = h("div", { class: "page" });
  const reset = form({
    inputs: code ? [password] : [codeInput(), password],
    submit: t("reset.submit"),
    act: async (values) => {
      await request(context, "passwords", code ? { code, ...values } : values);
      await context.restart(); // all of the user's sign-ins have ended, perhaps this one
      announce();
      showDone(node, t("reset.done"), link(urlOf(["sign-in"]), {}, t("sign_in.title")));
    },
  });
  const again = h("p", {}, link(urlOf(["forgot"]), {}, t("reset.again")));
  node.append(reset, again);
  return { title: t("reset.title"), node };
}
