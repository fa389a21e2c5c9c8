// Keeps the shell of the pages, so that an installed app opens without a network and says so. Nothing that anybody said, may
// see or is billed for is ever kept: what is not in FILES or a page of the app goes to the network as if this were not here.
"use strict";

const SHELL = "opencto-shell-{{digest}}";
const FILES = {{files}};
const PAGE = "/talk"; // one page for every address of the app, which finds its own way
const SECTIONS = {{sections}};

self.addEventListener("install", (event) => {
  const fresh = [PAGE, ...FILES].map((path) => new Request(path, { cache: "reload", credentials: "omit" }));
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(fresh)));
});

self.addEventListener("activate", (event) => {
  const old = (name) => name.startsWith("opencto-shell-") && name !== SHELL;
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

// The page asks, when its person does.
self.addEventListener("message", (event) => {
  if (event.data === "take over") void self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (SECTIONS.includes(pathname.split("/")[1])) event.respondWith(fetch(request).catch(() => kept(PAGE)));
  } else if (FILES.includes(pathname)) {
    event.respondWith(kept(pathname).then((answer) => (answer.type === "error" ? fetch(request) : answer)));
  }
});

async function kept(path) {
  const cache = await caches.open(SHELL);
  return (await cache.match(path)) ?? Response.error();
}
