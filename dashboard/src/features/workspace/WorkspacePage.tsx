import { useHere, useMay } from "~/api/workspace";
import { Loaded } from "~/ui/Loading";
import { Page } from "~/ui/Page";

import { useSettings } from "./api";
import { AssistantForm } from "./AssistantForm";
import { Danger } from "./Danger";
import { KeepingForm } from "./KeepingForm";
import { ModelsForm } from "./ModelsForm";
import { ProjectsForm } from "./ProjectsForm";
import { RateLimits } from "./RateLimits";
import { SpendCap } from "./SpendCap";

/** This page has no rows with an address of their own. */
export const NoSheet = () => null;

export function WorkspacePage() {
  const { workspace } = useHere();
  const settings = useSettings(workspace.workspaceId);
  const mayWrite = useMay("admin");
  const isOwner = useMay("owner");
  return (
    <Page
      title="Workspace"
      lead={`What every surface of ${workspace.name} uses: who the assistant is, what it may cost, and what is kept.${mayWrite ? "" : " Admins can change it."}`}
    >
      <Loaded query={settings} lines={8}>
        {(found) => (
          <div className="columns">
            <div className="stack">
              <AssistantForm settings={found} />
              <ModelsForm settings={found} />
            </div>
            <div className="stack">
              <SpendCap />
              <RateLimits />
              <KeepingForm settings={found} />
              <ProjectsForm settings={found} />
              {isOwner && <Danger />}
            </div>
          </div>
        )}
      </Loaded>
    </Page>
  );
}
