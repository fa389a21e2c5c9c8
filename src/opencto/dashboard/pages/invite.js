import { call } from "./api.js";
import { begin, bindForm, byId, quiet, say, show, takeToken, tell } from "./page.js";

const TOKEN = "opencto-invitation"; // survives the way over /login, in this tab alone
const token = takeToken() || sessionStorage.getItem(TOKEN);
const found = await begin();
if (found && !token) {
  quiet();
  byId("about").textContent = "";
  say("This address lacks its key. Open the whole link that you were sent.", "caution");
} else if (found) {
  await open();
}

async function open() {
  let preview;
  try {
    preview = await call("POST", "/api/v1/invitations/preview", { token });
  } catch (problem) {
    sessionStorage.removeItem(TOKEN);
    byId("about").textContent = "";
    tell(problem);
    return;
  }
  byId("title").textContent = `Join ${preview.workspaceName}`;
  byId("about").textContent = `${preview.invitedBy} invites you as ${preview.role}.`;
  document.title = `Join ${preview.workspaceName} · OpenCTO`;
  if (found.signedIn) asMember();
  else asNewcomer(preview.email);
}

async function accept(more) {
  await call("POST", "/api/v1/invitations/accept", { token, ...more });
  sessionStorage.removeItem(TOKEN);
  location.assign("/");
}

function asMember() {
  byId("who").textContent = found.person.email ?? found.person.name;
  show(byId("member"));
  bindForm(byId("join"), () => accept({}));
  byId("other").addEventListener("click", async () => {
    sessionStorage.setItem(TOKEN, token);
    await call("POST", "/api/v1/auth/logout");
    location.reload();
  });
}

function asNewcomer(email) {
  show(byId("form"));
  if (email) {
    byId("email").value = email;
    byId("email").readOnly = true;
  }
  bindForm(byId("form"), ({ name, email: typed, password }) => accept({ name, email: typed, password }));
  byId("sign-in").search = new URLSearchParams({ next: "/invite" });
  byId("sign-in").addEventListener("click", () => sessionStorage.setItem(TOKEN, token));
  byId("name").focus();
}
