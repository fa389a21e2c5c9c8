// The identities at the single sign-on provider: list, link, unlink.
import { call } from "./api.js";
import { ago, byId, element, show, tell } from "./page.js";

export async function identities(providerName) {
  try {
    const { data } = await call("GET", "/api/v1/auth/identities");
    byId("identities").replaceChildren(...data.map((one) => entry(one, providerName)));
    byId("link-name").textContent = providerName ?? "";
    show(byId("link-identity").parentElement, providerName !== null && !data.some((one) => one.inUse));
    show(byId("no-identities"), data.length === 0);
    show(byId("identities-section"), data.length > 0 || providerName !== null);
  } catch (problem) {
    tell(problem);
  }
}

function entry(one, providerName) {
  const row = byId("entry").content.cloneNode(true).firstElementChild;
  const host = new URL(one.issuer).host;
  row.querySelector(".name").append(one.inUse ? providerName : host);
  if (!one.inUse) row.querySelector(".name").append(" ", element("span", { className: "tag", textContent: "not in use" }));
  row.querySelector(".detail").append(`${one.subject} at ${host}, linked `, ago(one.linkedAt));
  const button = row.querySelector("button");
  button.textContent = "Unlink";
  button.setAttribute("aria-label", `Unlink ${one.subject} at ${host}`);
  button.addEventListener("click", async () => {
    try {
      await call("DELETE", `/api/v1/auth/identities/${encodeURIComponent(one.id)}`);
      await identities(providerName);
    } catch (problem) {
      tell(problem);
    }
  });
  return row;
}
