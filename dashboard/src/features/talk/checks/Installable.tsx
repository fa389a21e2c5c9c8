import { Link } from "@tanstack/react-router";

import { type Shell, useShell } from "~/ui/shell";

type Word = [tone: "good" | "caution", word: string, said: string];

function wordOf(shell: Exclude<Shell, "asked">): Word {
  if (shell === "kept") return ["good", "Good", "This browser keeps the pages: they open without the server, and can be installed."];
  if (shell === "refused")
    return ["caution", "Refused", "This browser refused the service worker, as browsers do where they do not trust the certificate, and in private windows. Talk works; the pages cannot be installed and do not open offline."];
  if (!window.isSecureContext) return ["caution", "Missing", "Without HTTPS a browser has no service worker: the pages cannot be installed and do not open offline."];
  return ["caution", "Missing", "This browser has no service worker here (a private window?): the pages cannot be installed and do not open offline."];
}

/** Whether the pages can be an app on this device. Found when the page was loaded; nothing is measured. */
export function Installable() {
  const shell = useShell();
  if (shell === "asked") return null;
  const [tone, word, said] = wordOf(shell);
  return (
    <section className="card sound-check" aria-label="App on this device">
      <header className="card-head">
        <h2>App on this device</h2>
        <span className={`badge ${tone}`}>{word}</span>
      </header>
      <p className="check-said">{said}</p>
      {shell !== "kept" && (
        <div className="row">
          <Link className="button small" to="/https">
            How a device trusts the certificate
          </Link>
        </div>
      )}
    </section>
  );
}
