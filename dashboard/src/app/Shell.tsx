import { Outlet, useRouterState } from "@tanstack/react-router";
import { Suspense, useEffect, useRef, useState } from "react";

import { useHere } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { Skeleton } from "~/ui/Loading";
import { SaidProvider } from "~/ui/Said";
import { TalkBar } from "~/features/talk/TalkBar";

import { Gate } from "./Gate";
import { takeNewer, useInstalled } from "./installed";
import { useLive } from "./live";
import { Palette } from "./Palette";
import { BottomBar, Rail } from "./Rail";
import { useReachable } from "./reachable";
import { SignInAgain } from "./SignInAgain";
import { TopBar } from "./TopBar";

export function Shell() {
  return (
    <Gate>
      {(session) => (
        <SaidProvider>
          <Frame />
          <SignInAgain session={session} />
        </SaidProvider>
      )}
    </Gate>
  );
}

function Frame() {
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const { workspace } = useHere();
  useLive(workspace.workspaceId);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey)) return;
      event.preventDefault();
      setPaletteOpen(true);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <div className="frame">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Rail />
      <div className="column">
        <TopBar onPalette={() => setPaletteOpen(true)} />
        <Unreachable />
        <Newer />
        <Main key={workspace.workspaceId} />
      </div>
      <TalkBar />
      <BottomBar />
      {isPaletteOpen && <Palette onClose={() => setPaletteOpen(false)} />}
    </div>
  );
}

/** The page, which takes the focus when another one is opened. */
function Main() {
  const main = useRef<HTMLElement>(null);
  const section = useRouterState({ select: (state) => state.location.pathname.split("/")[1] });
  const before = useRef(section);
  useEffect(() => {
    if (before.current !== section) {
      main.current?.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
    before.current = section;
  }, [section]);
  return (
    <main id="main" tabIndex={-1} ref={main}>
      <Suspense fallback={<Skeleton lines={5} />}>
        <Outlet />
      </Suspense>
    </main>
  );
}

function Newer() {
  const { isNewer } = useInstalled();
  if (!isNewer) return null;
  return (
    <div className="newer" role="status">
      <span>A new version of these pages is ready.</span>
      <Button small onClick={takeNewer}>
        Reload
      </Button>
    </div>
  );
}

function Unreachable() {
  const reachable = useReachable();
  if (reachable === "ok") return null;
  return (
    <p className="unreachable" role="status">
      {reachable === "offline"
        ? "This device is offline. What you see is from before; what you typed stays."
        : "The server does not answer. Trying again; what you typed stays."}
    </p>
  );
}
