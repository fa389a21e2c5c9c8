// The second factor: off → key and code → on, with recovery codes shown once.
import { call } from "./api.js";
import { bindForm, byId, element, say, show, tell } from "./page.js";

const ROUTE = "/api/v1/auth/second-factor";

export function factor(isOn) {
  state(isOn);
  if (isOn) countCodes();
  bindForm(byId("factor-begin"), async ({ password }) => {
    const setup = await call("POST", ROUTE, { password });
    byId("factor-begin").reset();
    byId("factor-qr").src = `data:image/svg+xml;utf8,${encodeURIComponent(standalone(setup.qrSvg))}`;
    byId("factor-secret").replaceChildren(...setup.secret.match(/.{1,4}/g).map((four) => element("span", { textContent: four })));
    show(byId("factor-begin"), false);
    show(byId("factor-confirm"));
    byId("factor-code").focus();
  });
  bindForm(byId("factor-confirm"), async ({ code }) => {
    const { recoveryCodes } = await call("POST", `${ROUTE}/confirm`, { code });
    byId("factor-confirm").reset();
    byId("factor-secret").textContent = "";
    byId("factor-qr").removeAttribute("src");
    state(true);
    showOnce(recoveryCodes);
  });
  bindForm(byId("factor-renew"), async ({ proof }) => {
    const typed = proof.trim().replaceAll(" ", "");
    const { recoveryCodes } = await call("POST", `${ROUTE}/recovery-codes`, /^[0-9]{6}$/.test(typed) ? { code: typed } : { password: proof });
    byId("factor-renew").reset();
    byId("factor-renew").closest("details").open = false;
    showOnce(recoveryCodes);
  });
  bindForm(byId("factor-off"), async ({ password }) => {
    await call("DELETE", ROUTE, { password });
    byId("factor-off").reset();
    byId("codes").replaceChildren();
    state(false);
    say("The second factor is off.");
  });
}

function showOnce(codes) {
  byId("codes").replaceChildren(...codes.map((one) => element("li", { textContent: one })));
  left(codes.length);
  show(byId("factor-codes"));
  byId("factor-codes").focus();
}

function left(count) {
  byId("codes-left").textContent = count === 1 ? "1 recovery code is left." : `${count || "No"} recovery codes are left.`;
}

async function countCodes() {
  try {
    left((await call("GET", ROUTE)).recoveryCodesLeft);
  } catch (problem) {
    tell(problem);
  }
}

// As an image of its own the drawing needs its namespace.
function standalone(svg) {
  return svg.includes("xmlns=") ? svg : svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
}

function state(isOn) {
  const tag = byId("factor-state");
  tag.textContent = isOn ? "on" : "off";
  tag.classList.toggle("good", isOn);
  show(byId("factor-begin"), !isOn);
  show(byId("factor-off"), isOn);
  show(byId("factor-left"), isOn);
  show(byId("factor-confirm"), false);
  show(byId("factor-codes"), false);
}
