import { useState } from "react";

import { SESSION } from "~/api/session";
import { useHere } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { Confirm } from "~/ui/Confirm";
import { TextField } from "~/ui/Field";
import { ProblemNotice } from "~/ui/Notice";
import { Section } from "~/ui/Page";
import { useSay } from "~/ui/Said";
import { useSubmit } from "~/ui/useSubmit";

import { deleteWorkspace, rename } from "./api";

/** What the owner alone may do. */
export function Danger() {
  const { workspace } = useHere();
  const say = useSay();
  const [name, setName] = useState(workspace.name);
  const [isDeleting, setDeleting] = useState(false);
  const renaming = useSubmit({ send: () => rename(workspace.workspaceId, name.trim()), stales: [SESSION], onDone: () => say(`The workspace is called ${name.trim()} now.`) });
  const deleting = useSubmit({ send: () => deleteWorkspace(workspace.workspaceId, workspace.slug), onDone: () => location.assign("/") });
  return (
    <Section title="Name and end">
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!renaming.busy) renaming.submit(undefined);
        }}
      >
        {renaming.problem && renaming.problem.errors.length === 0 && <ProblemNotice failure={renaming.problem} />}
        <TextField label="Workspace name" value={name} onChange={(event) => setName(event.target.value)} error={renaming.errorOf("name")} />
        <div className="row">
          <Button type="submit" busy={renaming.busy}>
            Rename
          </Button>
          <Button tone="danger" onClick={() => setDeleting(true)}>
            Delete the workspace
          </Button>
        </div>
      </form>
      {isDeleting && (
        <Confirm
          title={`Delete ${workspace.name}`}
          verb="Delete for good"
          typed={workspace.slug}
          busy={deleting.busy}
          problem={deleting.problem}
          onConfirm={() => deleting.submit(undefined)}
          onClose={() => setDeleting(false)}
        >
          <p>Its keys, settings, transcripts and ledger go with it, and nobody can bring them back. People keep their accounts.</p>
        </Confirm>
      )}
    </Section>
  );
}
