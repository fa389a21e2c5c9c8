import { call } from "./api.js";
import { begin, bindForm, byId, say, show, takeToken } from "./page.js";

const token = takeToken();
const found = await begin();
if (found?.claimed) {
  say("This server has an owner already. Sign in, or ask its owner for an invitation.", "caution");
} else if (found && !token) {
  say("This address lacks its key. Open the whole link that the terminal printed, or run `opencto claim` for a fresh one.", "caution");
} else if (found) {
  const form = byId("form");
  show(form);
  bindForm(form, async ({ name, email, password }) => {
    await call("POST", "/api/v1/auth/claim", { token, name, email, password });
    location.assign("/");
  });
  byId("name").focus();
}
