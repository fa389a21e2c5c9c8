/** Before the pages: who is asking, whether the server is claimed, and in which workspace they are. */
import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";

import { type Session, useSession } from "~/api/session";
import { type Here, HereProvider } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { Skeleton } from "~/ui/Loading";
import { ProblemNotice } from "~/ui/Notice";

import { useReachable } from "./reachable";

const KEPT = "opencto.workspace";

export function Gate({ children }: { children: (session: Session) => ReactNode }) {
  const session = useSession();
  const reachable = useReachable();
  const { refetch } = session;
  const retry = useCallback(() => void refetch({ cancelRefetch: false }), [refetch]);
  if (session.data === undefined && reachable !== "ok") return <OutOfReach isOffline={reachable === "offline"} onRetry={retry} />;
  if (session.data === undefined)
    return <main className="gate">{session.error ? <ProblemNotice failure={session.error} onRetry={() => void session.refetch()} /> : <Skeleton lines={4} />}</main>;
  if (!session.data.claimed) return <Unclaimed />;
  if (!session.data.signedIn || !session.data.person) return <ToLogin />;
  return (
    <InWorkspace session={session.data}>
      {children(session.data)}
    </InWorkspace>
  );
}

function InWorkspace({ session, children }: { session: Session; children: ReactNode }) {
  const [chosen, setChosen] = useState(() => new URLSearchParams(location.search).get("workspace") ?? localStorage.getItem(KEPT));
  const { person, workspaces = [] } = session;
  const workspace = workspaces.find((one) => one.workspaceId === chosen || one.slug === chosen) ?? workspaces[0];
  const here = useMemo<Here | null>(() => {
    if (!person || !workspace) return null;
    const choose = (workspaceId: string) => {
      localStorage.setItem(KEPT, workspaceId);
      setChosen(workspaceId);
    };
    return { person, workspace, workspaces, choose };
  }, [person, workspace, workspaces]);
  if (here === null) return <NoWorkspace name={person?.name ?? ""} />;
  return <HereProvider value={here}>{children}</HereProvider>;
}

/** An installed app opens without a network: it says so, and goes on by itself when the server answers. */
function OutOfReach({ isOffline, onRetry }: { isOffline: boolean; onRetry: () => void }) {
  useEffect(() => {
    const timer = setInterval(onRetry, 5_000);
    window.addEventListener("online", onRetry);
    return () => {
      clearInterval(timer);
      window.removeEventListener("online", onRetry);
    };
  }, [onRetry]);
  return (
    <main className="gate" id="main">
      <section className="card" role="status">
        <h1>{isOffline ? "This device is offline" : "The server does not answer"}</h1>
        <p>{isOffline ? "OpenCTO is on your server, and there is no network to reach it." : `Nothing answers at ${location.host}. It may be starting, or your network may not reach it.`}</p>
        <p className="soft">This page goes on by itself as soon as it does.</p>
        <Button onClick={onRetry}>Try now</Button>
      </section>
    </main>
  );
}

function ToLogin() {
  useEffect(() => {
    const wanted = location.pathname + location.search;
    location.replace(wanted === "/" ? "/login" : `/login?next=${encodeURI(wanted)}`);
  }, []);
  return null;
}

function Unclaimed() {
  useEffect(() => {
    document.title = "Nobody owns this server yet · OpenCTO";
  }, []);
  return (
    <main className="gate" id="main">
      <section className="card">
        <h1>Nobody owns this server yet</h1>
        <p>Open the claim link that the terminal printed when OpenCTO started. If it is gone, ask for a fresh one on the same machine:</p>
        <code className="command">opencto claim</code>
        <p className="soft">Until somebody has claimed it, the server answers on its own machine only.</p>
      </section>
    </main>
  );
}

function NoWorkspace({ name }: { name: string }) {
  return (
    <main className="gate" id="main">
      <section className="card">
        <h1>Welcome, {name}</h1>
        <p>You are in no workspace yet. Ask somebody for an invitation.</p>
        <p>
          <a href="/account">Your account</a>
        </p>
      </section>
    </main>
  );
}
