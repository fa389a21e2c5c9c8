import { call } from "./api.js";
import { begin, bindForm, byId, element, say, show, takeToken } from "./page.js";

const token = takeToken();
const found = await begin();
if (found && !token) {
  say("This address lacks its key. Open the whole link that `opencto people reset-password` printed.", "caution");
} else if (found) {
  const form = byId("form");
  show(form);
  bindForm(form, async ({ newPassword }) => {
    await call("POST", "/api/v1/auth/reset", { token, newPassword });
    show(form, false);
    say("The new password is set.");
    byId("message").append(element("div", { className: "row" }, element("a", { href: "/login", textContent: "Sign in", className: "button primary" })));
  });
  byId("newPassword").focus();
}
