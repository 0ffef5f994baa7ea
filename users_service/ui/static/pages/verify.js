/**
 * The page that takes the code of a sign-up or a changed address. It waits for a button: programs
 * that look into mail follow its links.
 */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { link, urlOf } from "../core/router.js";
import { unknownView } from "../core/shell.js";
import { current } from "../session/session.js";
import { codeInput, form, request, showDone, takeCode } from "./parts.js";

/** @type {import("./index.js").PageModule["view"]} */
export function view(context, place) {
  const code = takeCode(place);
  const { authentication, caller } = current();
  if (!authentication.sign_up && !authentication.email_change) return unknownView();
  const node = h("div", { class: "page" });
  const verify = form({
    inputs: code ? [] : [codeInput()],
    submit: t("verify.submit"),
    act: async (values) => {
      await request(context, "verifications", code ? { code } : values);
      const next = caller ? "account" : "sign-in";
      showDone(node, t("verify.done"), link(urlOf([next]), {}, t(caller ? "account.title" : "sign_in.title")));
    },
  });
  node.append(h("p", {}, t("verify.text")), verify);
  return { title: t("verify.title"), node };
}
