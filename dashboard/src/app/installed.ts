/**
 * The pages as an app: the worker that keeps their shell, the word that a newer version is ready, and the browser's offer to
 * install. Where the browser has no worker (no HTTPS, a private window) the pages work as they are.
 */
import { useSyncExternalStore } from "react";

import { tellShell } from "~/ui/shell";

const WORKER = "/service-worker.js";

interface Offer extends Event {
  prompt(): Promise<unknown>;
}

interface State {
  /** A newer version waits until somebody takes it. */
  isNewer: boolean;
  /** The browser offers to install. */
  isOffered: boolean;
}

let state: State = { isNewer: false, isOffered: false };
let waiting: ServiceWorker | null = null;
let offer: Offer | null = null;
const listeners = new Set<() => void>();

function become(next: Partial<State>): void {
  state = { ...state, ...next };
  for (const tell of listeners) tell();
}

export function useInstalled(): State {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => state,
  );
}

export function watchInstallation(): void {
  window.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault(); // offered in the menu, not over the page
    offer = event as Offer;
    become({ isOffered: true });
  });
  window.addEventListener("appinstalled", () => become({ isOffered: false }));
  if (!("serviceWorker" in navigator)) {
    tellShell("missing");
    return;
  }
  if (document.readyState === "complete") void register();
  else window.addEventListener("load", () => void register(), { once: true });
}

/** The browser asks its person. An offer is good for one time. */
export function install(): void {
  void offer?.prompt();
  offer = null;
  become({ isOffered: false });
}

/** The newer version serves from now on, and the page is loaded anew. */
export function takeNewer(): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waiting?.postMessage("take over");
}

async function register(): Promise<void> {
  let found: ServiceWorkerRegistration | undefined;
  try {
    found = await navigator.serviceWorker.register(trusted(), { updateViaCache: "none" });
  } catch {
    tellShell("refused"); // a certificate that it does not trust, a private window; the page of diagnostics says so
    return;
  }
  const registration = found as ServiceWorkerRegistration | undefined;
  if (!registration) {
    tellShell("refused");
    return;
  }
  tellShell("kept");
  const look = () => {
    if (!registration.waiting || !navigator.serviceWorker.controller) return;
    waiting = registration.waiting;
    become({ isNewer: true });
  };
  look();
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", look));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") registration.update().catch(() => undefined); // out of reach: later
  });
}

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** The one script address that our policy of trusted types lets through. */
function trusted(): string {
  const policies = (window as { trustedTypes?: Policies }).trustedTypes;
  return policies ? policies.createPolicy("opencto-worker", { createScriptURL: () => WORKER }).createScriptURL(WORKER) : WORKER;
}
