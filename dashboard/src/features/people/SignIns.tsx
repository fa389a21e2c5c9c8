import { useHere } from "~/api/workspace";
import { Button } from "~/ui/Button";
import { type Column, DataTable } from "~/ui/DataTable";
import { Ago, Badge } from "~/ui/Figures";
import { inOrder } from "~/ui/inOrder";
import { Loaded } from "~/ui/Loading";
import { ProblemNotice } from "~/ui/Notice";
import { Empty, Section } from "~/ui/Page";
import { useSay } from "~/ui/Said";
import { useListState } from "~/ui/useListState";
import { useSubmit } from "~/ui/useSubmit";

import { endSignIn, SIGN_INS, type SignIn, useSecondFactor, useSignIns } from "./api";
import { browserOf } from "./browser";

const COLUMNS: readonly Column<SignIn>[] = [
  {
    name: "Browser",
    sort: "browser",
    by: (one) => browserOf(one.userAgent),
    cell: (one) => <span title={one.userAgent}>{browserOf(one.userAgent)} {one.current && <Badge tone="accent">this one</Badge>}</span>,
  },
  { name: "From", sort: "address", by: (one) => one.address, cell: (one) => <code>{one.address}</code> },
  { name: "Last seen", sort: "lastSeenAt", by: (one) => one.lastSeenAt, cell: (one) => <Ago at={one.lastSeenAt} /> },
  { name: "Since", sort: "createdAt", by: (one) => one.createdAt, cell: (one) => <Ago at={one.createdAt} /> },
];

/** Where you are signed in, and the second factor. The list comes whole: it is as long as a person has browsers. */
export function SignIns() {
  const { person } = useHere();
  const signIns = useSignIns();
  const factor = useSecondFactor();
  const say = useSay();
  const [search, change] = useListState();
  const sort = search.signIns ?? "-lastSeenAt";
  const { submit, busy, problem } = useSubmit({
    send: endSignIn,
    stales: [SIGN_INS],
    onDone: () => say("That browser is signed out."),
  });
  return (
    <Section
      title="Your sign-ins"
      note={person.email ?? undefined}
      actions={
        <a className="button" href="/account">
          Password and second factor
        </a>
      }
    >
      <Loaded query={factor}>
        {({ enabledAt, recoveryCodesLeft }) => (
          <p className="row">
            Second factor:
            {enabledAt ? (
              <>
                <Badge tone="good">on</Badge> <span className="help">{recoveryCodesLeft} recovery codes are left.</span>
              </>
            ) : (
              <>
                <Badge tone="caution">off</Badge> <span className="help">A code of an app after the password keeps a stolen password useless.</span>
              </>
            )}
          </p>
        )}
      </Loaded>
      {problem && <ProblemNotice failure={problem} />}
      <Loaded query={signIns}>
        {({ data }) => (
          <DataTable
            label="Your sign-ins"
            columns={COLUMNS}
            rows={inOrder(data, COLUMNS, sort)}
            keyOf={(one) => one.id}
            empty={<Empty title="No sign-ins">You came with a token, or they have all ended. Sign in again to see this browser here.</Empty>}
            sort={{ now: sort, change: (next) => change({ signIns: next }) }}
            action={(one) =>
              !one.current && (
                <Button small busy={busy} onClick={() => submit(one.id)} aria-label={`Sign out ${browserOf(one.userAgent)} at ${one.address}`}>
                  Sign out
                </Button>
              )
            }
          />
        )}
      </Loaded>
    </Section>
  );
}
