import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { atLeast, type Role, SESSION } from "~/api/session";
import { useHere, useMay } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { Confirm } from "~/ui/Confirm";
import { SelectField } from "~/ui/Field";
import { Ago, Facts } from "~/ui/Figures";
import { Loaded } from "~/ui/Loading";
import { Notice, ProblemNotice } from "~/ui/Notice";
import { useSay } from "~/ui/Said";
import { Sheet } from "~/ui/Sheet";
import { useItem } from "~/ui/useItem";
import { useDraft } from "~/ui/useDraft";
import { useSubmit } from "~/ui/useSubmit";

import { changeRole, mayManage, mayOf, type Member, memberKey, membersKey, removeMember, ROLES, useMember } from "./api";
import { Gone } from "./Gone";
import { InvitationSheet } from "./InvitationSheet";
import { InviteForm } from "./InviteForm";
import { SignInSheet } from "./SignInSheet";
import { TokenForm } from "./TokenForm";
import { TokenSheet } from "./TokenSheet";

/** The sheet of a member, a token, an invitation or a sign-in, whose ids say which; of a new invitation at /people/invite, of a new token at /people/token. */
export function PersonSheet() {
  const item = useItem();
  const { workspace } = useHere();
  const mayInvite = useMay("admin");
  const navigate = useNavigate();
  const close = () => void navigate({ to: "/people", search: (now: object) => now });
  if (item === "invite")
    return !mayInvite ? (
      <Sheet title="Invite somebody" onClose={close}>
        <Notice role="status">
          <p>
            <Gone>Inviting people is for the admins of {workspace.name}.</Gone>
          </p>
        </Notice>
      </Sheet>
    ) : (
      <Sheet title="Invite somebody" note="A link for one person, into this workspace." onClose={close}>
        <InviteForm onClose={close} />
      </Sheet>
    );
  if (item === "token")
    return (
      <Sheet title="New API token" note="For a program that acts as you, within what you may do." onClose={close}>
        <TokenForm onClose={close} />
      </Sheet>
    );
  if (item.startsWith("tok_")) return <TokenSheet id={item} onClose={close} />;
  if (item.startsWith("inv_")) return <InvitationSheet id={item} onClose={close} />;
  if (item.startsWith("ses_")) return <SignInSheet id={item} onClose={close} />;
  return <MemberSheet id={item} onClose={close} />;
}

function MemberSheet({ id, onClose }: { id: string; onClose: () => void }) {
  const { workspace } = useHere();
  const member = useMember(workspace.workspaceId, id);
  return (
    <Sheet title={member.data?.name ?? "Member"} note={member.data?.email} onClose={onClose}>
      <Loaded query={member} gone={<Gone>Nobody with this address is a member of {workspace.name}, or not any more.</Gone>}>
        {(found) => <Details member={found} onClose={onClose} />}
      </Loaded>
    </Sheet>
  );
}

function Details({ member, onClose }: { member: Member; onClose: () => void }) {
  const { person, workspace } = useHere();
  const [isRemoving, setRemoving] = useState(false);
  const isSelf = member.personId === person.id;
  const mayChange = mayManage(workspace.role, member.role) || (isSelf && atLeast(workspace.role, "admin"));
  return (
    <>
      <Facts
        rows={[
          ["Role", ROLES.find((one) => one.value === member.role)?.label ?? member.role],
          ["Second factor", member.secondFactor ? "on" : "off"],
          ["Joined", <Ago at={member.joinedAt} key="joined" />],
          ...(member.disabledAt ? ([["Disabled", <Ago at={member.disabledAt} key="disabled" />]] as const) : []),
        ]}
      />
      {mayChange && <RoleForm member={member} />}
      {(mayChange || isSelf) && (
        <div>
          <Button tone="danger" onClick={() => setRemoving(true)}>
            {isSelf ? "Leave the workspace" : "Remove from the workspace"}
          </Button>
        </div>
      )}
      {isRemoving && <Remove member={member} isSelf={isSelf} onDone={onClose} onClose={() => setRemoving(false)} />}
    </>
  );
}

function RoleForm({ member }: { member: Member }) {
  const { person, workspace } = useHere();
  const mayGive = (role: Role) => (member.personId === person.id ? atLeast(member.role, role) : mayManage(workspace.role, role));
  const say = useSay();
  const queries = useQueryClient();
  const { values, write, settle, forget } = useDraft({ role: member.role });
  const ws = workspace.workspaceId;
  const stales = [membersKey(ws), SESSION];
  const keep = (found: Member) => queries.setQueryData(memberKey(ws, member.personId), found);
  const back = useSubmit({
    send: (before: Role) => changeRole(ws, member.personId, before),
    stales,
    onDone: (found) => {
      keep(found);
      forget();
      say(`${found.name} is ${found.role} again.`);
    },
  });
  const { submit, busy, problem } = useSubmit({
    send: ({ role }: { role: Role; before: Role }) => changeRole(ws, member.personId, role),
    stales,
    onDone: (found, { role, before }) => {
      keep(found);
      settle({ role });
      back.reset();
      say(`${found.name} is ${found.role} now.`, () => back.submit(before));
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) submit({ role: values.role, before: member.role });
      }}
    >
      {(problem ?? back.problem) && <ProblemNotice failure={problem ?? back.problem} />}
      <SelectField
        label="Role here"
        value={values.role}
        options={ROLES.filter((one) => mayGive(one.value)).map(({ value, label }) => ({ value, label }))}
        help={mayOf(values.role)}
        onChange={(event) => write({ role: event.target.value as Role })}
      />
      <Button type="submit" busy={busy}>
        Change the role
      </Button>
    </form>
  );
}

function Remove({ member, isSelf, onDone, onClose }: { member: Member; isSelf: boolean; onDone: () => void; onClose: () => void }) {
  const { workspace } = useHere();
  const say = useSay();
  const { submit, busy, problem } = useSubmit({
    send: () => removeMember(workspace.workspaceId, member.personId),
    stales: [membersKey(workspace.workspaceId), SESSION],
    onDone: () => {
      say(isSelf ? `You have left ${workspace.name}.` : `${member.name} is not in ${workspace.name} any more.`);
      onDone();
    },
  });
  return (
    <Confirm
      title={isSelf ? `Leave ${workspace.name}` : `Remove ${member.name}`}
      verb={isSelf ? "Leave" : "Remove"}
      busy={busy}
      problem={problem}
      onConfirm={() => submit(undefined)}
      onClose={onClose}
    >
      <p>
        {isSelf ? "Your" : "Their"} sign-ins and tokens stop working for this workspace within a second, and {isSelf ? "your" : "their"} own
        keys here are deleted. A new invitation brings {isSelf ? "you" : "them"} back, not the keys.
      </p>
    </Confirm>
  );
}
