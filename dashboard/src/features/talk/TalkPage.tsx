import "./talk.css";

import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";

import { useMay, useWorkspaceId } from "~/api/workspace";
import { Notice } from "~/ui/Notice";
import { itemsOf } from "~/voice/core/conversation";

import { Captions } from "./Captions";
import { Control } from "./Control";
import { useChanges } from "./current";
import { FirstVisit } from "./FirstVisit";
import { Insecure } from "./Insecure";
import { sandboxQuery } from "./queries";
import { Trouble } from "./Trouble";
import { Settings } from "./Settings";
import { SidePanel } from "./SidePanel";
import { talkOf } from "./talk";
import { TypeBox } from "./TypeBox";
import { useKeys } from "./useKeys";

export function TalkPage() {
  const workspaceId = useWorkspaceId();
  const talk = talkOf(workspaceId);
  useChanges(talk);
  useKeys(talk);
  const mayTalk = useMay("member");
  const sandbox = useQuery(sandboxQuery(workspaceId));
  useEffect(() => {
    document.title = "Talk · OpenCTO";
  }, []);
  const isEmpty = itemsOf(talk.conversation).length === 0;
  const isSandbox = (talk.session?.lines.token?.keySource ?? sandbox.data) === "sandbox";
  return (
    <div className="talk">
      <header className="talk-head">
        <h1>Talk</h1>
        {isSandbox && (
          <p className="talk-sandbox" role="note">
            <strong>Sandbox.</strong> No OpenAI key: a small program on this server answers. Its figures are demo data, and nothing is billed.
          </p>
        )}
        <Settings talk={talk} />
      </header>
      <section className="talk-main" aria-label="Conversation">
        {isEmpty ? <FirstVisit talk={talk} /> : <Captions talk={talk} />}
        <div className="talk-dock">
          {talk.problem === null && !talk.isOpen && <Insecure />}
          <Trouble talk={talk} />
          {mayTalk ? (
            <>
              <Control talk={talk} />
              <TypeBox talk={talk} />
            </>
          ) : (
            <Notice>You may look, not talk, in this workspace. An administrator can change that under People and access.</Notice>
          )}
        </div>
      </section>
      <SidePanel talk={talk} />
    </div>
  );
}
