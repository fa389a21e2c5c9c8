// API tokens: list, create (shown once), revoke.
import { call } from "./api.js";
import { ago, bindForm, byId, element, show, tell } from "./page.js";

export async function tokens() {
  byId("scopes").replaceChildren(...(await scopes()).map(choice));
  bindForm(byId("token-form"), async ({ name, expiresInDays }) => {
    const chosen = [...byId("scopes").querySelectorAll("input:checked")].map((box) => box.value);
    const made = await call("POST", "/api/v1/tokens", { name, scopes: chosen, expiresInDays: expiresInDays ? Number(expiresInDays) : null });
    byId("token-text").textContent = made.token;
    byId("token-form").reset();
    byId("token-form").closest("details").open = false;
    show(byId("token-made"));
    byId("token-made").focus();
    await list();
  });
  await list();
}

// The scopes that the server knows, out of its own description.
async function scopes() {
  try {
    return (await call("GET", "/openapi.json")).components.schemas.Scope.enum;
  } catch (problem) {
    tell(problem);
    return ["all"];
  }
}

function choice(scope) {
  const box = element("input", { type: "checkbox", name: "scopes", value: scope, id: `scope-${scope}` });
  return element("label", { htmlFor: box.id }, box, element("span", { textContent: scope }));
}

async function list() {
  try {
    const { data } = await call("GET", "/api/v1/tokens?limit=200");
    const live = data.filter((one) => !one.revokedAt);
    byId("tokens").replaceChildren(...live.map(entry));
    show(byId("no-tokens"), live.length === 0);
  } catch (problem) {
    tell(problem);
  }
}

function entry(one) {
  const row = byId("entry").content.cloneNode(true).firstElementChild;
  const expired = one.expiresAt !== null && new Date(one.expiresAt) <= new Date();
  row.querySelector(".name").append(one.name, " ", element("code", { className: "soft small", textContent: one.hint }));
  if (expired) row.querySelector(".name").append(" ", element("span", { className: "tag bad", textContent: "expired" }));
  const detail = row.querySelector(".detail");
  detail.append(one.scopes.join(", "), " · ");
  detail.append(...(one.lastUsedAt ? ["used ", ago(one.lastUsedAt)] : ["never used"]));
  detail.append(...(one.expiresAt ? [expired ? ", expired " : ", expires ", ago(one.expiresAt)] : [", never expires"]));
  const button = row.querySelector("button");
  button.textContent = "Revoke";
  button.setAttribute("aria-label", `Revoke the token ${one.name}`);
  button.addEventListener("click", async () => {
    try {
      await call("DELETE", `/api/v1/tokens/${encodeURIComponent(one.id)}`);
      await list();
    } catch (problem) {
      tell(problem);
    }
  });
  return row;
}
